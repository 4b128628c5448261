import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Service, startService } from '../sink/support/service.ts'
import { Child, type Ended } from './support/child.ts'
import { Received } from './support/received.ts'

let service: Service

beforeEach(async () => {
  service = await startService()
})
afterEach(() => service.close())

function start(way: string, env: Record<string, string> = {}): Child {
  return new Child(
    'service.mjs',
    {
      MICROMEGAS_TELEMETRY_URL: env.MICROMEGAS_TELEMETRY_URL ?? service.url,
      MICROMEGAS_INGESTION_API_KEY: 'a-key',
      MICROMEGAS_ENABLE_CPU_TRACING: 'true',
      ...env,
    },
    [way],
  )
}

function expectEverything(): Received {
  const received = new Received(service.requests)
  const expected = Array.from({ length: 100 }, (_, i) => `event ${i}`)
  expect(received.messages('fixture').slice(0, 100)).toEqual(expected)
  const measures = received.measures.filter(({ target }) => target !== 'micromegas')
  expect(measures.map(({ name, value }) => [name, value])).toEqual([['work', 1.5]])
  expect(received.others.toSorted()).toEqual(['BeginThreadSpanEvent', 'EndThreadSpanEvent', 'ImageEvent'])
  expect(service.requests.every(({ headers }) => headers.authorization === 'Bearer a-key')).toBe(true)
  return received
}

describe('every way out delivers what was recorded, with the exit code Node would give', () => {
  const rows: [way: string, code: number, stderr: RegExp, log: RegExp | undefined][] = [
    ['return', 0, /^$/, undefined],
    ['number', 7, /^$/, undefined],
    ['reject', 1, /Error: the service broke\n {4}at /, /^main failed: Error: the service broke\n {4}at /],
    ['throw', 1, /TypeError: the service threw/, /^main failed: TypeError: the service threw/],
    ['exit', 9, /^$/, undefined],
    ['uncaught', 1, /Error: nobody catches/, /^uncaught exception: Error: nobody catches\n {4}at /],
    ['rejection', 1, /Error: nobody handles/, /^unhandled rejection: Error: nobody handles\n {4}at /],
  ]
  test.each(rows)('%s ends with code %i', async (way, code, stderr, log) => {
    const ended = await start(way).ended
    expect(ended).toMatchObject({ code, signal: null })
    expect(ended.stderr).toMatch(stderr)
    const received = expectEverything()
    const fatal = received.logs.filter(({ level }) => level === 1).map(({ msg }) => msg)
    if (log === undefined) expect(fatal).toEqual([])
    else expect(fatal).toEqual([expect.stringMatching(log)])
  })
})

/** A shutdown that takes its time would outlast the test. */
const WITH_ALL_TIME = { MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS: '3600' }

describe('signals', () => {
  async function endBySignal(
    way: string,
    signal: NodeJS.Signals,
    env?: Record<string, string>,
  ): Promise<Ended> {
    const child = start(way, env)
    await child.printed('recorded')
    child.process.kill(signal)
    return child.ended
  }

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends a service that does not heed it at once, with code %i', async (signal, code) => {
    const ended = await endBySignal('listens', signal, WITH_ALL_TIME)
    expect(ended).toMatchObject({ code, signal: null })
    expectEverything()
  })

  test('a service that listens to the abort signal finishes first', async () => {
    expect(await endBySignal('heeds', 'SIGTERM')).toMatchObject({ code: 143 })
    expect(expectEverything().messages('fixture').at(-1)).toBe('closed because received SIGTERM')
  })

  test('a number returned after the signal is the exit code', async () => {
    expect(await endBySignal('heedsWithCode', 'SIGTERM')).toMatchObject({ code: 0 })
    expectEverything()
  })

  test('a main that never returns is ended', async () => {
    expect(await endBySignal('ignores', 'SIGINT')).toMatchObject({ code: 130 })
    expectEverything()
  })

  test("the application's own handler runs and decides the exit code", async () => {
    expect(await endBySignal('ownHandler', 'SIGTERM')).toMatchObject({ code: 5 })
    expect(expectEverything().messages('fixture').at(-1)).toBe('handled by the application')
  })

  test('a second signal ends the process at once', async () => {
    service.respond = () => undefined // accepts and never answers
    const child = start('listens', WITH_ALL_TIME)
    await child.printed('recorded')
    child.process.kill('SIGINT')
    await service.until((requests) => requests.length > 0)
    child.process.kill('SIGINT')
    expect(await child.ended).toMatchObject({ code: 130 })
  })
})

describe('a server that cannot be reached', () => {
  test('neither fails the service nor holds it longer than the shutdown timeout', async () => {
    const { url } = service
    await service.close()
    const ended = await start('return', {
      MICROMEGAS_TELEMETRY_URL: url,
      MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS: '1',
    }).ended
    expect(ended).toMatchObject({ code: 0, signal: null })
    // Once: not when main returns and again when the event loop runs dry.
    expect(ended.stderr.match(/not delivered/g)).toHaveLength(1)
  })

  test('that accepts and never answers does not hold it either', async () => {
    service.respond = () => undefined
    const ended = await start('number', { MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS: '1' }).ended
    expect(ended).toMatchObject({ code: 7 })
  })
})

describe('configuration', () => {
  test('everything wrong is said in one error, by variable name, without a secret', async () => {
    const ended = await new Child('configuration.mjs', {
      MICROMEGAS_TELEMETRY_URL: 'localhost:9000/with-secret',
      MICROMEGAS_INGESTION_API_KEY: '  ',
      MICROMEGAS_OIDC_CLIENT_SECRET: 'hush-hush',
      MICROMEGAS_FLUSH_PERIOD: 'often',
      MICROMEGAS_TELEMETRY_MAX_IN_FLIGHT_REQUESTS: '0',
      MICROMEGAS_MAX_LEVEL: 'loud',
      MICROMEGAS_ENABLE_CPU_TRACING: 'yes please',
      MICROMEGAS_PROCESS_PROPERTIES: 'cluster=prod,micromegas.audience=me',
    }).ended
    expect(ended.code).toBe(1)
    expect(ended.stdout).toBe('')
    for (const variable of [
      'MICROMEGAS_TELEMETRY_URL',
      'MICROMEGAS_OIDC_TOKEN_ENDPOINT',
      'MICROMEGAS_OIDC_CLIENT_ID',
      'MICROMEGAS_FLUSH_PERIOD',
      'MICROMEGAS_TELEMETRY_MAX_IN_FLIGHT_REQUESTS',
      'MICROMEGAS_MAX_LEVEL',
      'MICROMEGAS_ENABLE_CPU_TRACING',
      'MICROMEGAS_PROCESS_PROPERTIES',
    ]) {
      expect(ended.stderr).toContain(variable)
    }
    expect(ended.stderr).not.toContain('hush-hush')
    expect(ended.stderr).not.toContain('with-secret')
    expect(ended.stderr).not.toMatch(/^ {4}at /m)
  })

  test.each([
    [{ flushPeriod: 1 }, /flushPeriod: no such option/],
    [{ localSinkMaxLevel: 'loud' }, /localSinkMaxLevel: expected off, fatal/],
    [{ telemetryUrl: 'ftp://x' }, /telemetryUrl: .*ftp/],
    [{ processProperties: { 'micromegas.x': '1' } }, /processProperties: .*reserved/],
    [{ shutdownTimeoutMs: -1 }, /shutdownTimeoutMs/],
  ])('an option that cannot be used is named: %j', async (options, message) => {
    const ended = await new Child('configuration.mjs', {}, [JSON.stringify(options)]).ended
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(message)
  })

  test('without a URL the service runs, and one line says that nothing is uploaded', async () => {
    const ended = await new Child('configuration.mjs', { MICROMEGAS_TELEMETRY_URL: ' ' }).ended
    expect(ended).toMatchObject({ code: 0, stdout: 'main ran\n' })
    expect(ended.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/MICROMEGAS_TELEMETRY_URL is not set/),
    ])
  })

  test('without credentials one line says that uploads are not authenticated', async () => {
    const ended = await new Child('configuration.mjs', { MICROMEGAS_TELEMETRY_URL: `${service.url}/` }).ended
    expect(ended).toMatchObject({ code: 0 })
    expect(ended.stderr.trim().split('\n')).toEqual([expect.stringMatching(/without authentication/)])
    expect(service.requests.every(({ url }) => url.startsWith('/ingestion/'))).toBe(true)
  })
})
