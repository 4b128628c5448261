import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { homedir, hostname as hostnameOf, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { logout } from '../../../src/auth/login/logout.ts'
import { withFileLock } from '../../../src/auth/login/tokens/file-lock.ts'
import { readLogin, tokenFilePath, writeLogin } from '../../../src/auth/login/tokens/token-file.ts'
import { program } from '../../support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'micromegas-token-file-'))
afterAll(() => rmSync(folder, { recursive: true }))
const hostname = hostnameOf()
const LOGIN = { issuer: 'https://login.test', client_id: 'cli', token: { refresh_token: 'r' } }

test('the variable names the file, then the profile does', () => {
  expect(tokenFilePath({})).toBe(join(homedir(), '.micromegas', 'tokens.json'))
  expect(tokenFilePath({ MICROMEGAS_TOKEN_FILE: ' ' }, 'prod')).toBe(
    join(homedir(), '.micromegas', 'tokens-prod.json'),
  )
  expect(tokenFilePath({ MICROMEGAS_TOKEN_FILE: '~/t.json' }, 'prod')).toBe(join(homedir(), 't.json'))
})

test.runIf(process.platform !== 'win32')(
  'file and directory are made for this user alone, whatever the umask, and a file that others could read is closed',
  async () => {
    const path = join(folder, 'new', 'tokens.json')
    const previous = process.umask(0)
    try {
      await writeLogin(path, LOGIN)
      expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
      writeFileSync(path, '{}', { mode: 0o644 })
      await writeLogin(path, LOGIN)
      expect(statSync(path).mode & 0o777).toBe(0o600)
    } finally {
      process.umask(previous)
    }
  },
)

test.each(['', '{', 'null', '[]', '{"issuer":1}', '{"issuer":"i","client_id":"c","token":null}'])(
  'the text %j is not taken for a login',
  async (text) => {
    const path = join(folder, 'damaged.json')
    writeFileSync(path, text)
    await expect(readLogin(path)).rejects.toMatchObject({ message: expect.stringContaining(path) })
  },
)

test('a process that is killed while it writes leaves the old or the new login, whole', async () => {
  const path = join(folder, 'killed', 'tokens.json')
  const script = program(new URL('./fixtures/write-forever.ts', import.meta.url))
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, [script, path, `round ${round}`])
    await once(child.stdout, 'data')
    await sleep(20 + 15 * round)
    child.kill('SIGKILL')
    await once(child, 'exit')
    if (readdirSync(join(path, '..')).includes('tokens.json'))
      expect(await readLogin(path)).toMatchObject({ issuer: LOGIN.issuer })
  }
  expect((await readLogin(path))?.client_id).toMatch(/^round \d$/)
})

describe('the lock', () => {
  test('lets one in at a time', async () => {
    const path = join(folder, 'one.lock')
    let inside = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 10 }, () =>
        withFileLock(path, undefined, async () => {
          most = Math.max(most, ++inside)
          await sleep(2)
          inside--
        }),
      ),
    )
    expect(most).toBe(1)
    expect(readdirSync(folder)).not.toContain('one.lock')
  })

  test.each([
    [
      'of a process that is gone',
      () => JSON.stringify({ host: hostname, pid: 2 ** 22 + 1, since: Date.now(), nonce: 'n' }),
    ],
    ['of another machine, held for too long', () => '{"host":"elsewhere","pid":1,"since":1,"nonce":"n"}'],
  ])('%s is broken', async (_, text) => {
    const path = join(folder, 'stale.lock')
    writeFileSync(path, text())
    expect(await withFileLock(path, AbortSignal.timeout(10_000), async () => 'in')).toBe('in')
  })

  test('that was torn is broken once it is old', async () => {
    const path = join(folder, 'torn.lock')
    writeFileSync(path, '')
    utimesSync(path, 1, 1)
    expect(await withFileLock(path, AbortSignal.timeout(10_000), async () => 'in')).toBe('in')
  })

  test('is waited for until the signal says no', async () => {
    const path = join(folder, 'held.lock')
    await withFileLock(path, undefined, async () => {
      await expect(withFileLock(path, AbortSignal.timeout(50), async () => {})).rejects.toThrow()
    })
  })
})

test('logging out deletes the file, and a second time says that there is none', async () => {
  mkdirSync(join(folder, 'out'), { recursive: true })
  const tokenFile = join(folder, 'out', 'tokens.json')
  await writeLogin(tokenFile, LOGIN)
  expect(await logout({ tokenFile })).toEqual([tokenFile])
  expect(await logout({ tokenFile })).toEqual([])
})
