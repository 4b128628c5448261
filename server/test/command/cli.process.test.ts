import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROCESS_CBOR } from '../../../test/telemetry/worked-examples.ts'
import { type Child, runFile } from '../support/child.ts'
import {
  getJson,
  insert,
  insertBlocks,
  post,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../support/server.ts'
import { logBlock, processBody, process as processInfo, stream, streamBody } from '../support/telemetry.ts'

let directory: TemporaryDirectory
beforeAll(async () => {
  directory = await temporaryDirectory()
})
afterAll(() => directory[Symbol.asyncDispose]())

let count = 0
/** The command on a free port, with a data directory of its own unless `args` names one. */
function run(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Child {
  const ownDirectory = args.includes('--data-dir') ? [] : ['--data-dir', join(directory.path, `${count++}`)]
  return runFile('server/dist/micromegas-server.js', ['--port', '0', ...ownDirectory, ...args], env)
}

async function urlOf(child: Child): Promise<string> {
  const [, url = ''] = await child.waitFor(/listening on (http:\S+)[\s\S]*Read it back/)
  return url
}

test('goes on when whoever reads its output goes away, as with "--print | head"', async () => {
  await using child = run(['--print', '--disable-auth'])
  const url = await urlOf(child)
  child.process.stdout.destroy()
  const owner = processInfo()
  const logs = stream(owner, 'log')
  await insert({ url }, 'process', processBody(owner))
  await insert({ url }, 'stream', streamBody(logs))
  for (let i = 0; i < 5; i++)
    await insertBlocks({ url }, logBlock(owner, logs, [{ at: i, message: `line ${i}` }]))
  await child.waitFor(/events are no longer printed: .*EPIPE/, 'stderr')
  child.process.stderr.destroy()
  for (let i = 0; i < 5; i++) expect((await post({ url }, 'block', Buffer.from('bad'))).status).toBe(400)
  expect((await getJson({ url }, '/api/log_entries')).rows).toHaveLength(5)
  child.process.kill('SIGTERM')
  expect(await child.exit()).toEqual({ code: 0, signal: null })
})

describe('starting', () => {
  test('prints the address, the data directory and the environment of a service, and no key', async () => {
    await using child = run([], { MICROMEGAS_API_KEYS: '[{"name":"ci","key":"mmk_canary"}]' })
    const url = await urlOf(child)
    const text = child.stdout()
    expect(text).toContain(`MICROMEGAS_TELEMETRY_URL=${url}\n`)
    expect(text).toContain('MICROMEGAS_INGESTION_API_KEY=<the key named "ci">')
    expect(text).toContain('MICROMEGAS_ANALYTICS_API_KEY=<the key named "ci">')
    expect(text).toContain(`data: ${directory.path}`)
    expect(text).toContain('4 GiB at most')
    expect(text + child.stderr()).not.toContain('canary')
    expect(
      (await post({ url }, 'process', PROCESS_CBOR, { authorization: 'Bearer mmk_canary' })).status,
    ).toBe(200)
  })

  test('makes a key that stays the same for a data directory, and shows it', async () => {
    const dataDir = join(directory.path, 'generated')
    const keyOf = async (): Promise<string> => {
      await using child = run(['--generate-key', '--data-dir', dataDir])
      const url = await urlOf(child)
      const [, key = ''] = /MICROMEGAS_INGESTION_API_KEY=(mmk_\S+)/.exec(child.stdout()) ?? []
      expect((await post({ url }, 'process', PROCESS_CBOR, { authorization: `Bearer ${key}` })).status).toBe(
        200,
      )
      expect((await post({ url }, 'process', PROCESS_CBOR)).status).toBe(401)
      return key
    }
    const key = await keyOf()
    expect(await keyOf()).toBe(key)
    expect((await stat(join(dataDir, 'generated-api-key'))).mode & 0o777).toBe(0o600)
    expect((await readFile(join(dataDir, 'generated-api-key'), 'utf8')).trim()).toBe(key)
  })

  test('shows how to read with the key, without the key', async () => {
    await using child = run([], { MICROMEGAS_API_KEYS: '[{"name":"ci","key":"mmk_canary"}]' })
    const url = await urlOf(child)
    const header = 'Authorization: Bearer $MICROMEGAS_INGESTION_API_KEY'
    await child.waitFor(/Read it back.*:\n.*\n/)
    expect(child.stdout()).toContain(`curl -H "${header}" "${url}/api/log_entries"\n`)
  })

  test('shows how to read without authentication', async () => {
    await using child = run(['--disable-auth'])
    const url = await urlOf(child)
    await child.waitFor(/Read it back.*:\n.*\n/)
    expect(child.stdout()).toContain(`curl "${url}/api/log_entries"\n`)
  })

  test('takes the environment, and flags over it', async () => {
    const env = { MICROMEGAS_INGESTION_PORT: '1', MICROMEGAS_INGESTION_MAX_BYTES: '5MiB' }
    await using child = run(['--disable-auth', '--max-bytes', '6MiB'], env)
    const url = await urlOf(child)
    expect(child.stdout()).toContain('6 MiB at most')
    expect((await getJson({ url }, '/api/stats')).max_bytes).toBe(6 * 1024 * 1024)
  })

  test('shows an OIDC user what to set', async () => {
    const MICROMEGAS_OIDC_CONFIG = '{"issuers":[{"issuer":"http://127.0.0.1:1","audience":"api"}]}'
    await using child = run([], { MICROMEGAS_OIDC_CONFIG })
    await urlOf(child)
    expect(child.stdout()).toContain('MICROMEGAS_OIDC_ISSUER=http://127.0.0.1:1\n')
    expect(child.stdout()).toContain('MICROMEGAS_OIDC_AUDIENCE=api')
    await child.waitFor(/Read it back.*:\n.*\n/)
    expect(child.stdout()).toContain('curl -H "Authorization: Bearer <token>" "http://')
    await child.waitFor(/cannot get the keys of http:\/\/127.0.0.1:1/, 'stderr')
  })
})

test('starts beside a Kubernetes Service of its name, which sets its port, and says so', async () => {
  const env = { MICROMEGAS_INGESTION_PORT: 'tcp://10.96.0.1:8081' }
  await using child = run(['--disable-auth'], env)
  const url = await urlOf(child)
  expect((await getJson({ url }, '/api/stats')).processes).toBe(0)
  await child.waitFor(/MICROMEGAS_INGESTION_PORT is ignored: .*Kubernetes/, 'stderr')
})

test('a generated key opens both doors, also where they have keys of their own', async () => {
  const MICROMEGAS_INGESTION_API_KEYS = '[{"name":"service","key":"mmk_service"}]'
  await using child = run(['--generate-key', '--callers-are-admins'], { MICROMEGAS_INGESTION_API_KEYS })
  const url = await urlOf(child)
  const [, made = ''] = /MICROMEGAS_INGESTION_API_KEY=(mmk_\S+)/.exec(child.stdout()) ?? []
  const headers = { authorization: `Bearer ${made}` }
  expect((await post({ url }, 'process', PROCESS_CBOR, headers)).status).toBe(200)
  expect(await getJson({ url }, '/api/whoami', headers)).toMatchObject({ subject: 'generated', admin: true })
  expect(child.stdout()).toContain('admins: everyone who comes in')
  expect(child.stdout()).toMatch(
    /auth: for taking telemetry .*service.*\n.*for answering questions API keys \(generated\)/,
  )
})

describe('what is wrong', () => {
  test('is one error with everything, exit code 1', async () => {
    await using child = run(['--max-bytes', 'lots'], {
      MICROMEGAS_API_KEYS: 'canary',
      MICROMEGAS_ADMINS: '{}',
    })
    expect(await child.exit()).toEqual({ code: 1, signal: null })
    expect(child.stderr().trim().split('\n')).toEqual([
      'Cannot start the server:',
      '  MICROMEGAS_API_KEYS: expected JSON such as [{"name":"ci","key":"…"}]',
      expect.stringMatching(/^ {2}MICROMEGAS_ADMINS: /),
      expect.stringMatching(/^ {2}--max-bytes: /),
    ])
  })

  test('starting without authentication', async () => {
    await using child = run()
    expect((await child.exit()).code).toBe(1)
    expect(child.stderr()).toContain('no authentication: set MICROMEGAS_API_KEYS')
  })

  test.for([
    ['', 'is empty'],
    ['\n', 'is empty'],
    ['mmk_canary', 'holds something else'],
  ] as const)('a generated key that is not one any more: %j', async ([content, state]) => {
    const dataDir = join(directory.path, `key-${count++}`)
    const file = join(dataDir, 'generated-api-key')
    await mkdir(dataDir)
    await writeFile(file, content)
    await using child = run(['--generate-key', '--data-dir', dataDir])
    expect((await child.exit()).code).toBe(1)
    expect(child.stderr()).toBe(
      `Cannot use the generated API key: ${file} ${state}; put the key back, or delete the file to get a new key\n`,
    )
    expect(await readFile(file, 'utf8')).toBe(content)
  })

  test('a key to make and no authentication at the same time', async () => {
    const dataDir = join(directory.path, 'excluded')
    await using child = run(['--generate-key', '--disable-auth', '--data-dir', dataDir])
    expect((await child.exit()).code).toBe(1)
    expect(child.stderr()).toContain('--generate-key: excludes --disable-auth')
    await expect(stat(dataDir)).rejects.toThrow('ENOENT')
  })

  test('a flag without its value', async () => {
    const flags = ['--host', '--port', '--data-dir', '--max-bytes']
    await using child = run(['--disable-auth', ...flags.flatMap((flag) => [flag, ' '])])
    expect((await child.exit()).code).toBe(1)
    expect(child.stderr().trim().split('\n').slice(1)).toEqual(
      flags.map((flag) => `  ${flag}: expected a value, it is empty`),
    )
  })

  test('an unknown flag', async () => {
    await using child = run(['--disabel-auth'])
    expect((await child.exit()).code).toBe(1)
    expect(child.stderr()).toContain("unknown option '--disabel-auth'")
  })

  test('a data directory that is a file', async () => {
    const file = join(directory.path, 'file')
    await writeFile(file, '')
    for (const args of [['--disable-auth'], ['--generate-key']]) {
      await using child = run([...args, '--data-dir', file])
      expect((await child.exit()).code).toBe(1)
      expect(child.stderr()).toMatch(/^Cannot (use the data directory|keep a generated API key)/)
    }
  })
})

test.for(['SIGINT', 'SIGTERM'] as const)('%s ends it cleanly, the data is there again', async (signal) => {
  const dataDir = join(directory.path, signal)
  await using first = run(['--disable-auth', '--data-dir', dataDir])
  await insert({ url: await urlOf(first) }, 'process', PROCESS_CBOR)
  first.process.kill(signal)
  expect(await first.exit()).toEqual({ code: 0, signal: null })
  await using second = run(['--disable-auth', '--data-dir', dataDir])
  expect((await getJson({ url: await urlOf(second) }, '/api/processes')).rows).toHaveLength(1)
})

test('--print follows what arrives, and refusals go to the error output', async () => {
  await using child = run(['--disable-auth', '--print'])
  const url = await urlOf(child)
  const owner = processInfo({ exe: '/srv/shop/main.js' })
  const log = stream(owner, 'log')
  await insert({ url }, 'process', processBody(owner))
  await insert({ url }, 'stream', streamBody(log))
  await insertBlocks({ url }, logBlock(owner, log, [{ at: 1, message: 'order placed', target: 'shop' }]))
  await child.waitFor(/INFO {3}shop order placed \[main\.js\]/)
  await post({ url }, 'block', Buffer.from('nonsense'))
  await child.waitFor(/WARN POST \/ingestion\/insert_block refused with 400: Cannot read block/, 'stderr')
})

test('--json-logs reports everything as one JSON object a line', async () => {
  await using child = run(['--disable-auth', '--json-logs'])
  const [line = ''] = await child.waitFor(/.*"listening".*/, 'stderr')
  const { url } = JSON.parse(line)
  await insert({ url }, 'process', PROCESS_CBOR)
  const [stored = ''] = await child.waitFor(/.*"stored".*/, 'stderr')
  expect(JSON.parse(stored)).toMatchObject({ level: 'info', type: 'stored', what: 'process', bytes: 246 })
  expect(child.stdout()).toBe('')
})

test('--json-logs shows a generated key once, and no other', async () => {
  const MICROMEGAS_API_KEYS = '[{"name":"ci","key":"mmk_canary"}]'
  await using child = run(['--generate-key', '--json-logs'], { MICROMEGAS_API_KEYS })
  const [line = ''] = await child.waitFor(/.*"listening".*\n/, 'stderr')
  const { url, generatedKey } = JSON.parse(line)
  const authorization = `Bearer ${generatedKey}`
  expect((await post({ url }, 'process', PROCESS_CBOR, { authorization })).status).toBe(200)
  await child.waitFor(/"stored"/, 'stderr')
  expect(child.stderr().split('mmk_')).toHaveLength(2)
  expect(child.stdout()).toBe('')
})

test('--version is that of the package', async () => {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8')
  await using child = run(['--version'])
  expect(await child.exit()).toEqual({ code: 0, signal: null })
  expect(child.stdout()).toBe(`${JSON.parse(text).version}\n`)
})

test('--help says what the environment takes', async () => {
  await using child = run(['--help'])
  expect((await child.exit()).code).toBe(0)
  for (const name of ['MICROMEGAS_API_KEYS', 'MICROMEGAS_OIDC_CONFIG', '/generated-api-key']) {
    expect(child.stdout()).toContain(name)
  }
})
