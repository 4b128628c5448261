import { execFileSync } from 'node:child_process'
import { rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { PROCESS_CBOR } from '../../../test/telemetry/worked-examples.ts'
import { ApiKeyFile } from '../../src/auth/api-key-file.ts'
import { BearerAuthenticator, noAuthenticator } from '../../src/auth/authenticator.ts'
import { parseApiKeys } from '../../src/auth-options.ts'
import { oidcHint } from '../../src/command/oidc-hint.ts'
import { AUDIENCE, type SigningKey, signingKey, startIssuer } from '../support/issuer.ts'
import { getJson, post, send, startServer, temporaryDirectory } from '../support/server.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const key = (name: string) => ({ name, key: `mmk_${name}` })
const PROCESS_ID = '00000000-0000-4000-8000-000000000001'

let rsa: SigningKey
beforeAll(async () => {
  rsa = await signingKey('one')
})

/** Status of sending, reading and deleting with a token. */
async function statuses(server: { readonly url: string }, token: string): Promise<number[]> {
  const headers = bearer(token)
  return [
    (await post(server, 'process', PROCESS_CBOR, headers)).status,
    (await send(server.url, '/api/stats', { headers })).status,
    (await send(server.url, `/api/processes/${PROCESS_ID}`, { method: 'DELETE', headers })).status,
  ]
}

describe('each door', () => {
  test('takes the plain credentials where it has none of its own', async () => {
    await using server = await startServer({
      apiKeys: [key('both')],
      ingestion: { apiKeys: [key('service')] },
    })
    expect(await statuses(server, 'mmk_service')).toEqual([200, 401, 401])
    expect(await statuses(server, 'mmk_both')).toEqual([401, 200, 403])
  })

  test('has issuers and admins of its own, and shares what is alike', async () => {
    await using services = await startIssuer(rsa)
    await using people = await startIssuer(rsa)
    const oidcOf = ({ issuer }: { readonly issuer: string }) => ({
      issuers: [{ issuer, audience: AUDIENCE }],
    })
    await using server = await startServer({
      oidc: oidcOf(services),
      analytics: { oidc: oidcOf(people), admins: ['alice'] },
    })
    expect(await statuses(server, await services.token(rsa))).toEqual([200, 401, 401])
    expect(await statuses(server, await people.token(rsa))).toEqual([401, 200, 403])
    expect(await statuses(server, await people.token(rsa, { sub: 'alice' }))).toEqual([401, 200, 200])

    await using both = await startServer({ oidc: oidcOf(people) })
    const before = people.keyRequests
    const token = await people.token(rsa, { sub: 'bob' })
    expect((await statuses(both, token)).slice(0, 2)).toEqual([200, 200])
    expect(people.keyRequests).toBeLessThanOrEqual(before + 1)
  })

  test('is judged alike by whatever it speaks: a header of HTTP, metadata of gRPC', async () => {
    expect(await noAuthenticator.authenticate(undefined)).toMatchObject({
      ok: true,
      identity: { admin: true },
    })
    const verifier = { verify: (token: string) => ({ ok: false, status: 503, reason: token }) as const }
    const authenticator = new BearerAuthenticator([verifier, verifier], false)
    expect(await authenticator.authenticate('Bearer x')).toEqual({ ok: false, status: 503, reason: 'x' })
    expect(await authenticator.authenticate('bearer x')).toMatchObject({ status: 401 })
    expect(await authenticator.authenticate(undefined)).toMatchObject({ status: 401 })
  })
})

describe('callers are admins', () => {
  test('by the flag only, where nobody else could be one, and it is said at start', async () => {
    await using plain = await startServer({ apiKeys: [key('a')] })
    expect(await statuses(plain, 'mmk_a')).toEqual([200, 200, 403])
    expect(plain.reasons().join()).not.toContain('admin')
    await using server = await startServer({ apiKeys: [key('a')], callersAreAdmins: true })
    expect(server.reasons()).toEqual([
      'everyone with a key or token is an admin and may delete data (--callers-are-admins)',
    ])
    expect(await getJson(server, '/api/whoami', bearer('mmk_a'))).toMatchObject({
      method: 'api_key',
      admin: true,
    })
    expect(await statuses(server, 'mmk_a')).toEqual([200, 200, 200])
    expect(await statuses(server, 'mmk_b')).toEqual([401, 401, 401])
  })
})

describe('keys in a file', () => {
  async function keyFile(directory: string, ...names: string[]) {
    const path = join(directory, 'keys.json')
    await writeFile(path, JSON.stringify(names.map(key)))
    const clock = { ms: 0 }
    const warnings: string[] = []
    const options = {
      path,
      parse: parseApiKeys,
      warn: (line: string) => warnings.push(line),
      clock: () => clock.ms,
    }
    const file = await ApiKeyFile.open(options)
    const isTaken = async (...wanted: string[]): Promise<boolean[]> =>
      Promise.all(wanted.map(async (name) => (await file.verify(`mmk_${name}`)).ok))
    return { path, clock, warnings, file, isTaken }
  }

  test('are accepted beside those of the environment, and rotated without a restart', async () => {
    await using directory = await temporaryDirectory()
    const path = join(directory.path, 'keys.json')
    await writeFile(path, JSON.stringify([key('old')]))
    await using server = await startServer({ apiKeys: [key('env')], apiKeysFile: path })
    for (const name of ['old', 'env']) expect((await statuses(server, `mmk_${name}`))[0]).toBe(200)
    expect((await statuses(server, 'mmk_new'))[0]).toBe(401)
    await writeFile(path, JSON.stringify([key('old'), key('new')]))
    await expect.poll(async () => (await statuses(server, 'mmk_new'))[0], { timeout: 10_000 }).toBe(200)
    expect((await statuses(server, 'mmk_old'))[0]).toBe(200)
    await writeFile(path, JSON.stringify([key('new')]))
    await expect.poll(async () => (await statuses(server, 'mmk_old'))[0], { timeout: 10_000 }).toBe(401)
    expect(await getJson(server, '/api/whoami', bearer('mmk_new'))).toMatchObject({
      subject: 'new',
      admin: false,
    })
  })

  test('count at the first request after a second, also when nothing but the content changed', async () => {
    await using directory = await temporaryDirectory()
    const { path, clock, isTaken } = await keyFile(directory.path, 'aa')
    const time = new Date(1e12)
    await utimes(path, time, time)
    await writeFile(path, JSON.stringify([key('bb')]))
    await utimes(path, time, time)
    clock.ms = 999
    expect(await isTaken('aa', 'bb')).toEqual([true, false])
    clock.ms = 1_000
    // All that come while the file is read wait for it.
    expect(await isTaken('aa', 'bb', 'aa')).toEqual([false, true, false])
  })

  test('follow a link that is swapped, and a file that is replaced', async () => {
    await using directory = await temporaryDirectory()
    const { path, clock, isTaken } = await keyFile(directory.path, 'a')
    const at = async (name: string): Promise<string> => {
      const target = join(directory.path, name)
      await writeFile(target, JSON.stringify([key(name)]))
      return target
    }
    await rename(await at('replaced'), path)
    clock.ms += 1_000
    expect(await isTaken('a', 'replaced')).toEqual([false, true])
    await unlink(path)
    await symlink(await at('linked'), path)
    clock.ms += 1_000
    expect(await isTaken('replaced', 'linked')).toEqual([false, true])
  })

  test('stay in force while the file cannot be used, which is told once', async () => {
    await using directory = await temporaryDirectory()
    const { path, clock, warnings, isTaken } = await keyFile(directory.path, 'a')
    const broken: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['expected JSON such as', () => writeFile(path, '[{"name":"b","key":"mmk_canary')],
      ['expected JSON such as', () => writeFile(path, '')],
      ['keys[0].key: expected visible ASCII', () => writeFile(path, '[{"name":"b","key":"mmk canary"}]')],
      ['keys: a key is there twice', () => writeFile(path, JSON.stringify([key('c'), key('c')]))],
      ['ENOENT', () => rm(path)],
      ['it is not a regular file', async () => execFileSync('mkfifo', [path])],
      [
        'it has more than 1048576 bytes',
        () => rm(path).then(() => writeFile(path, ' '.repeat(1024 * 1024 + 1))),
      ],
    ]
    for (const [reason, breaks] of broken) {
      await breaks()
      for (let i = 0; i < 3; i++) {
        clock.ms += 1_000
        expect([reason, await isTaken('a', 'c')]).toEqual([reason, [true, false]])
      }
      expect(warnings.at(-1)).toContain(reason)
    }
    // The same words twice are one warning.
    expect(warnings).toHaveLength(broken.length - 1)
    await writeFile(path, `\ufeff${JSON.stringify([key('d')])}\n`)
    clock.ms += 1_000
    expect(await isTaken('a', 'd')).toEqual([false, true])
    expect(warnings.at(-1)).toBe(`the API keys in ${path} can be used again`)
    expect(warnings.join()).not.toContain('canary')
  })

  test('that is not there or holds something else is an error at start, without any key', async () => {
    await using directory = await temporaryDirectory()
    const path = join(directory.path, 'keys.json')
    const start = () =>
      startServer({ apiKeysFile: path, dataDir: join(directory.path, 'data'), disableAuth: false })
    await expect(start()).rejects.toMatchObject({
      code: 'ERR_TELEMETRY_CONFIG',
      message: expect.stringContaining(`the API keys in ${path} cannot be used: ENOENT`),
    })
    await writeFile(path, 'mmk_canary')
    const error = await start().catch((problem: Error) => problem)
    expect(String(error)).toContain('expected JSON such as')
    expect(String(error)).not.toContain('canary')
  })
})

test.each([
  [
    'https://tenant.eu.auth0.com/',
    'https://telemetry.example.com',
    'MICROMEGAS_OIDC_AUDIENCE=https://telemetry.example.com',
  ],
  ['https://login.microsoftonline.com/t/v2.0', '1234-5678', 'MICROMEGAS_OIDC_SCOPE=api://1234-5678/.default'],
  ['https://login.microsoftonline.com/t/v2.0', 'api://1234', 'MICROMEGAS_OIDC_SCOPE=api://1234/.default'],
  [
    'https://org.okta.com/oauth2/default',
    'api',
    'MICROMEGAS_OIDC_SCOPE=<a custom scope of that authorization server>',
  ],
  ['https://sso.example.com/realms/main', 'telemetry', undefined],
  ['https://idp.example.com', 'api', 'MICROMEGAS_OIDC_RESOURCE'],
])('services of the issuer %s are told variables that fit it', (issuer, audience, line) => {
  const lines = oidcHint({ issuer, audience })
  expect(lines[0]).toBe(`MICROMEGAS_OIDC_ISSUER=${issuer}`)
  expect(lines.slice(1, 3).join()).toContain('CLIENT_ID')
  if (line === undefined) expect(lines).toHaveLength(3)
  else expect(lines[3]).toContain(line)
  expect(lines.some((text) => text.includes('AUDIENCE'))).toBe(
    line?.includes('AUDIENCE') === true || line?.includes('RESOURCE') === true,
  )
})

test('services are not told to get tokens where they cannot', () => {
  for (const issuer of ['https://accounts.google.com', 'https://token.actions.githubusercontent.com'])
    expect(oidcHint({ issuer, audience: 'x' }).join()).not.toContain('MICROMEGAS_')
})
