import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Service, startService } from '../sink/support/service.ts'
import { Child, type Ended } from './support/child.ts'
import { Received } from './support/received.ts'

let service: Service

beforeEach(async () => {
  service = await startService()
})
afterEach(() => service.close())

interface Run {
  readonly ended: Ended
  readonly received: Received
}

/** Runs the service, with a preload, and reads what it has delivered. */
async function run(
  way: string,
  preload: string | undefined,
  env: Record<string, string> = {},
  through: readonly string[] = [],
): Promise<Run> {
  const flags = preload === undefined ? {} : { NODE_OPTIONS: `--import=${fixture(preload)}` }
  const child = new Child(
    'service.mjs',
    {
      MICROMEGAS_TELEMETRY_URL: service.url,
      MICROMEGAS_INGESTION_API_KEY: 'a-key',
      MICROMEGAS_ENABLE_CPU_TRACING: 'true',
      ...flags,
      ...env,
    },
    [way],
    through,
  )
  const ended = await child.ended
  return { ended, received: new Received(service.requests) }
}

function fixture(name: string): string {
  return new URL(`./fixtures/${name}`, import.meta.url).href
}

function expectEverything({ received }: Run): void {
  expect(received.messages('fixture').filter((message) => message.startsWith('event ')).length).toBe(100)
  expect(received.measures.map(({ name }) => name)).toContain('work')
  expect(received.others.length).toBe(3)
}

describe.each(['return', 'exit'] as const)('a service that ends by %s', (way) => {
  const code = way === 'exit' ? 9 : 0

  test('without an entry in the password file is the user of its number', async () => {
    const done = await run(way, 'without-user.mjs')
    expect(done.ended).toMatchObject({ code, stderr: '' })
    expectEverything(done)
    const user = process.getuid?.() === 0 ? '54321' : String(process.getuid?.())
    expect(done.received.processes).toMatchObject([{ username: user, properties: { username: user } }])
    if (user === '54321') expect(done.received.processes[0]?.realname).toBe('54321')
  })

  test('without the native LZ4 library sends its blocks uncompressed, and says so once', async () => {
    const done = await run(way, 'without-lz4.mjs', { FIXTURE_IMAGE_BYTES: '5000' })
    expect(done.ended.code).toBe(code)
    expectEverything(done)
    if (way === 'return') expect(done.ended.stderr.match(/LZ4 library cannot be loaded/g)).toHaveLength(1)
  })

  test('whose clocks and timers are all faked once it runs ends as ever', async () => {
    const done = await run(way, undefined, { FIXTURE_FAKED: 'true' })
    expect(done.ended).toMatchObject({ code, stderr: '' })
    expectEverything(done)
  })

  test('may start no threads and load no addons: it sends all the same, and is told what that costs', async () => {
    const done = await run(way, undefined, { NODE_OPTIONS: PERMISSIONS })
    expect(done.ended.code).toBe(code)
    expectEverything(done)
    const told =
      /allows no worker threads \(--allow-worker\): at process.exit\(\) blocks are sent one after the other/g
    expect(done.ended.stderr.match(told)).toHaveLength(1)
  })

  test.skipIf(!canHideProc())('without a proc file system leaves out what only that knows', async () => {
    const done = await run(way, undefined, { FIXTURE_METRICS: 'true' }, HIDE_PROC)
    expect(done.ended).toMatchObject({ code, stderr: '' })
    expectEverything(done)
    const [described] = done.received.processes
    expect(described?.cpuBrand).not.toBe('')
    expect(described?.properties.total_memory).toMatch(/^\d+$/)
    const names = new Set(done.received.measures.map(({ name }) => name))
    expect([names.has('process.uptime'), names.has('process_virtual_bytes')]).toEqual([true, false])
  })
})

test('exe and version of the process are those of the variables', async () => {
  const env = { MICROMEGAS_PROCESS_EXE: 'shop', MICROMEGAS_PROCESS_VERSION: '4.2.0' }
  const { received } = await run('return', undefined, env)
  expect(received.processes).toMatchObject([
    { exe: 'shop', properties: { exe: 'shop', version: '4.2.0', node_version: process.version } },
  ])
})

test('without them they are those of the main script', async () => {
  const { received } = await run('return', undefined)
  const exe = fileURLToPath(fixture('service.mjs'))
  expect(received.processes).toMatchObject([{ exe, properties: { exe, version: expect.any(String) } }])
})

test('without threads over https the start says that what is unsent at process.exit() is lost', async () => {
  const env = { NODE_OPTIONS: PERMISSIONS, MICROMEGAS_TELEMETRY_URL: 'https://127.0.0.1:1' }
  const { ended } = await run('exit', undefined, env)
  expect(ended.code).toBe(9)
  expect(
    ended.stderr.match(/over https, what is not sent when process.exit\(\) is called is lost/g),
  ).toHaveLength(1)
  expect(ended.stderr).toMatch(/1\d\d events were not delivered before the shutdown/)
})

/** Node's permission model: files may be read and the network used, and nothing else. */
const PERMISSIONS = [
  process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission',
  '--allow-fs-read=*',
  ...(process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []),
  '--disable-warning=ExperimentalWarning',
].join(' ')

/** Runs a command in a mount namespace whose `/proc` is empty. */
const HIDE_PROC = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$0" "$@"']

function canHideProc(): boolean {
  if (process.platform !== 'linux') return false
  const [command, ...args] = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /proc']
  return spawnSync(command!, args).status === 0
}
