import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { PermanentDecoratorError } from '../../src/auth/errors.ts'
import type { DecoratedRequest, RequestDecorator } from '../../src/auth/request-decorator.ts'
import { HttpEventSink } from '../../src/sink/http-event-sink.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'
import { startService } from './support/service.ts'
import { QUICK, SinkUnderTest } from './support/sink.ts'

/** A decorator whose token can be refused: the next one is the next number. */
class Tokens implements RequestDecorator {
  current = 1
  readonly refused: (string | null)[] = []

  decorate({ headers }: DecoratedRequest): void {
    headers.set('authorization', `Bearer token-${this.current}`)
  }

  onRejected({ headers }: DecoratedRequest, status: number): void {
    const token = headers.get('authorization')
    this.refused.push(`${status} ${token}`)
    if (token === `Bearer token-${this.current}`) this.current++
  }
}

test('a refused token is reported, and the request is sent again at once with the next one', async () => {
  await using service = await startService(({ headers }) =>
    headers.authorization === 'Bearer token-1' ? 401 : 200,
  )
  const tokens = new Tokens()
  const pause = { baseDelayMs: 60_000, maxDelayMs: 60_000 } // would be noticed
  await using under = new SinkUnderTest(
    service.url,
    { unauthorizedRetry: pause, blocksRetry: pause, metadataRetry: pause },
    () => tokens,
  )
  for (let i = 0; i < 4; i++) under.push()
  expect((await under.sink.flush()).delivered.blocks).toBe(4)
  expect(new Set(tokens.refused)).toEqual(new Set(['401 Bearer token-1']))
  expect(tokens.current).toBe(2)
  expect(under.sink.stats()).toMatchObject({ failedAttempts: 0, state: 'working' })
  expect(under.warnings).toEqual([])
})

test('a second 401 pauses all uploads, keeps the data, is said once, and heals by itself', async () => {
  let accepted = 'none'
  await using service = await startService(({ headers }) => (headers.authorization === accepted ? 200 : 401))
  await using under = new SinkUnderTest(service.url, QUICK, () => new Tokens())
  for (let i = 0; i < 10; i++) under.push('log', 2)
  await service.until(({ length }) => length >= 20)
  expect(under.sink.stats()).toMatchObject({
    state: 'unauthorized',
    pending: { blocks: 10, events: 20 },
    drops: [],
  })
  expect(under.sink.takeDrops()).toEqual([])
  expect(under.warnings).toEqual([expect.stringMatching(/refuses our credentials \(401\)/)])
  accepted = `Bearer token-${service.requests.length + 3}`
  expect((await under.sink.flush()).delivered).toEqual({ blocks: 10, events: 20 })
  expect(under.warnings).toHaveLength(2)
  expect(under.warnings[1]).toContain('work again')
  expect(under.sink.stats().state).toBe('working')
})

test('a 401 to a sink without credentials says that there are none', async () => {
  await using service = await startService(() => 401)
  await using under = new SinkUnderTest(service.url, QUICK)
  under.push()
  await service.until(({ length }) => length >= 4)
  expect(under.warnings).toEqual([
    expect.stringMatching(/asks for credentials \(401\) and there are none.*telemetry is kept/),
  ])
})

test('while uploads are paused there is one probe of two requests at a time, not one per block', async () => {
  await using service = await startService(() => 401)
  const unauthorizedRetry = { baseDelayMs: 40, maxDelayMs: 80 }
  await using under = new SinkUnderTest(service.url, { ...QUICK, unauthorizedRetry }, () => new Tokens())
  for (let i = 0; i < 100; i++) under.push()
  await service.until(({ length }) => length >= 14)
  const times = service.requests.slice(6).map(({ atMs }) => atMs)
  expect(times[7]! - times[0]!).toBeGreaterThan(3 * 40)
})

test('without a decorator a 401 is not sent twice', async () => {
  await using service = await startService(({ index }) => (index === 0 ? 401 : 200))
  await using under = new SinkUnderTest(service.url, { ...QUICK, maxInFlightRequests: 1 })
  under.push()
  expect((await under.sink.flush()).delivered.blocks).toBe(1)
  expect(under.sink.stats()).toMatchObject({ attempts: 4, failedAttempts: 1 })
})

test('a decorator sees method, URL, headers and body, and may sign them and add to the query', async () => {
  await using service = await startService()
  const seen: DecoratedRequest[] = []
  const decorator: RequestDecorator = {
    async decorate(request) {
      await Promise.resolve()
      request.headers.set('x-signature', String(request.body.byteLength))
      request.url.searchParams.set('sig', 'a b')
      seen.push(request)
    },
  }
  await using under = new SinkUnderTest(`${service.url}/base`, QUICK, async () => decorator)
  under.push()
  expect((await under.sink.flush()).delivered.blocks).toBe(1)
  for (const { url, headers, body } of service.requests) {
    expect(url).toMatch(/^\/base\/ingestion\/insert_\w+\?sig=a\+b$/)
    expect(headers['x-signature']).toBe(String(body.length))
  }
  expect(seen[0]).toMatchObject({ method: 'POST' })
  expect(new Set(seen.map(({ url }) => url)).size).toBe(3)
})

test('a decorator that fails is asked again, one request at a time, and its wait is honoured', async () => {
  await using service = await startService()
  const clock = new ManualClock()
  clock.chance = 0
  const asked: number[] = []
  const decorator: RequestDecorator = {
    decorate() {
      asked.push(clock.now())
      if (asked.length > 5) return
      throw Object.assign(new Error('no token yet'), asked.length === 5 ? { retryAfterMs: 150 } : {})
    },
  }
  const options = { ...QUICK, maxInFlightRequests: 1 }
  await using under = new SinkUnderTest(service.url, options, () => decorator, { clock })
  under.push()
  expect((await clock.settle(under.sink.flush(), 150)).delivered.blocks).toBe(1)
  expect(asked[4]).toBeLessThan(150)
  expect(asked[5]).toBe(asked[4]! + 150)
  expect(under.warnings[0]).toContain('no token yet')
})

test('a decorator that never answers is given up after the request timeout, and tried again', async () => {
  await using service = await startService()
  let calls = 0
  const decorator: RequestDecorator = {
    decorate: () => (++calls === 1 ? new Promise<void>(() => {}) : undefined),
  }
  await using under = new SinkUnderTest(
    service.url,
    { ...QUICK, requestTimeoutMs: 50, maxInFlightRequests: 1 },
    () => decorator,
  )
  under.push()
  expect((await under.sink.flush()).delivered.blocks).toBe(1)
})

test('a permanent decorator error drops what it was asked for, with its own reason', async () => {
  await using service = await startService()
  await using under = new SinkUnderTest(service.url, QUICK, () => ({
    decorate: () => {
      throw new PermanentDecoratorError('the key was revoked')
    },
  }))
  under.push('metrics', 3)
  expect(await under.sink.flush()).toMatchObject({ dropped: { blocks: 1, events: 3 } })
  expect(under.sink.stats().drops).toEqual([
    { kind: 'metadata', reason: 'credentials', blocks: 2, events: 0 },
    { kind: 'metrics', reason: 'credentials', blocks: 1, events: 3 },
  ])
  expect(service.requests).toEqual([])
})

test('the factory is called once, at construction, and what it throws fails the start', async () => {
  await using service = await startService()
  let calls = 0
  await using under = new SinkUnderTest(service.url, QUICK, () => {
    calls++
    return new Tokens()
  })
  expect(calls).toBe(1)
  for (let i = 0; i < 5; i++) under.push()
  await under.sink.flush()
  expect(calls).toBe(1)
  const failing = (): never => {
    throw new Error('MICROMEGAS_INGESTION_API_KEY is empty')
  }
  expect(() => new HttpEventSink(service.url, {}, failing)).toThrow('MICROMEGAS_INGESTION_API_KEY is empty')
})

test('an asynchronous factory that rejects is called again, and shared by the requests that wait for it', async () => {
  await using service = await startService()
  let calls = 0
  await using under = new SinkUnderTest(service.url, QUICK, async () => {
    calls++
    await new Promise(setImmediate)
    if (calls < 3) throw new Error('vault is sealed')
    return new Tokens()
  })
  for (let i = 0; i < 5; i++) under.push()
  expect((await under.sink.flush()).delivered.blocks).toBe(5)
  expect(calls).toBe(3)
  expect(service.requests.every(({ headers }) => headers.authorization === 'Bearer token-1')).toBe(true)
})

test('the decorator is closed once the sink has shut down, and no sooner', async () => {
  await using service = await startService()
  const events: string[] = []
  const under = new SinkUnderTest(service.url, QUICK, () => ({
    decorate: () => void events.push('decorate'),
    close: () => {
      events.push('close')
      throw new Error('ignored')
    },
  }))
  under.push()
  await under.sink.shutdown()
  expect(events).toEqual(['decorate', 'decorate', 'decorate', 'close'])
})

test('warnings never repeat a secret of an error message', async () => {
  await using service = await startService()
  await using under = new SinkUnderTest(service.url, QUICK, () => ({
    decorate: () => {
      throw new Error(
        'POST https://id:hunter2@idp.example/token?client_secret=hunter2\nAuthorization: Bearer hunter2',
      )
    },
  }))
  under.push()
  await until(() => under.warnings.length > 0)
  expect(under.warnings[0]).toContain('https://idp.example/token')
  expect(under.warnings[0]).not.toContain('hunter2')
  expect(under.warnings[0]).not.toContain('\n')
})

test.each<[string, string]>([
  ['a promise of another realm', 'Promise.resolve(tokens)'],
  ['a thenable', '({ then(resolve) { resolve(tokens) } })'],
])('a factory may give %s', async (_, code) => {
  await using service = await startService(() => 200)
  const tokens = new Tokens()
  await using under = new SinkUnderTest(service.url, QUICK, () => runInNewContext(code, { tokens }))
  under.push()
  expect((await under.sink.flush()).delivered.blocks).toBe(1)
  const sent = new Set(service.requests.map(({ headers }) => headers.authorization))
  expect(sent).toEqual(new Set(['Bearer token-1']))
  expect(under.warnings).toEqual([])
})

test('an error of another realm says as much as any other what is to be done', async () => {
  await using service = await startService(() => 200)
  const permanent = 'Object.assign(new Error("no key"), { name: "PermanentDecoratorError" })'
  await using under = new SinkUnderTest(service.url, QUICK, () => ({
    decorate() {
      throw runInNewContext(permanent)
    },
  }))
  under.push('log', 3)
  expect((await under.sink.flush()).dropped).toEqual({ blocks: 1, events: 3 })
  expect(under.sink.stats().drops).toEqual([
    expect.objectContaining({ kind: 'metadata', reason: 'credentials' }),
    expect.objectContaining({ kind: 'log', reason: 'credentials', events: 3 }),
  ])
})
