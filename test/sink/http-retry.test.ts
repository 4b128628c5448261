import { expect, test } from 'vitest'
import { MAX_TIMER_MS } from '../../src/model/text/durations.ts'
import { deferred } from '../support/deferred.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'
import { startService } from './support/service.ts'
import { QUICK, SinkUnderTest } from './support/sink.ts'

test('a block survives two 503 answers and is delivered with the same bytes', async () => {
  await using service = await startService(({ insert, index }) =>
    insert === 'block' && index < 5 ? 503 : 200,
  )
  await using under = new SinkUnderTest(service.url, { ...QUICK, maxInFlightRequests: 1 })
  const block = under.push()
  const report = await under.sink.flush()
  expect(report.delivered).toEqual({ blocks: 1, events: 1 })
  const sent = service.of('block')
  expect(sent.length).toBeGreaterThan(1)
  expect(new Set(sent.map(({ id }) => id))).toEqual(new Set([block.blockId]))
  expect(sent.every(({ body }) => body.equals(sent[0]!.body))).toBe(true)
})

test.each([302, 408, 425, 429, 500, 502, 503, 504])(
  '%i is tried again until it is delivered',
  async (status) => {
    let failures = 4
    await using service = await startService(() => (failures-- > 0 ? status : 200))
    await using under = new SinkUnderTest(service.url, QUICK)
    under.push()
    expect(await under.sink.flush()).toMatchObject({ delivered: { blocks: 1 }, dropped: { blocks: 0 } })
    expect(under.sink.stats().failedAttempts).toBe(4)
  },
)

test.each([400, 403, 404, 405, 413])('%i is final: counted, said once, not sent again', async (status) => {
  await using service = await startService(({ insert }) => (insert === 'block' ? status : 200))
  await using under = new SinkUnderTest(service.url, QUICK)
  under.push('metrics', 4)
  under.push('metrics', 5)
  const report = await under.sink.flush()
  expect(report).toMatchObject({ delivered: { blocks: 0 }, dropped: { blocks: 2, events: 9 } })
  expect(service.of('block')).toHaveLength(2)
  const reason = status === 413 ? 'too_large' : 'refused'
  expect(under.sink.stats().drops).toEqual([{ kind: 'metrics', reason, blocks: 2, events: 9 }])
  expect(under.warnings).toEqual([
    expect.stringMatching(new RegExp(`cannot deliver a metrics block to http://\\S+: it answers ${status}`)),
  ])
})

test('a refused description costs no block, and is counted as metadata', async () => {
  await using service = await startService(({ insert }) => (insert === 'process' ? 403 : 200))
  await using under = new SinkUnderTest(service.url, QUICK)
  under.push()
  expect((await under.sink.flush()).delivered.blocks).toBe(1)
  under.push()
  await under.sink.flush()
  expect(service.of('process')).toHaveLength(1)
  expect(under.sink.stats()).toMatchObject({
    dropped: { blocks: 0, events: 0 },
    drops: [{ kind: 'metadata', reason: 'refused', blocks: 1, events: 0 }],
  })
})

test.each(['seconds', 'date'] as const)('Retry-After in %s is waited for', async (form) => {
  let first = true
  await using service = await startService(() => {
    if (!first) return 200
    first = false
    // A date has whole seconds: counted from the answer's own, it is exact.
    const date = new Date(1_700_000_000_000).toUTCString()
    const later = new Date(1_700_000_001_000).toUTCString()
    return { status: 503, headers: { date, 'retry-after': form === 'date' ? later : '1' } }
  })
  const clock = new ManualClock()
  clock.chance = 0
  await using under = new SinkUnderTest(service.url, { maxInFlightRequests: 1 }, undefined, { clock })
  under.push()
  await until(() => under.sink.stats().failedAttempts === 1)
  await clock.advance(999)
  expect(service.requests).toHaveLength(1)
  await clock.advance(1)
  expect((await under.sink.flush()).delivered.blocks).toBe(1)
})

test('Retry-After is capped: a server that says tomorrow is asked sooner', async () => {
  let first = true
  await using service = await startService(() => {
    if (!first) return 200
    first = false
    return { status: 429, headers: { 'retry-after': '86400' } }
  })
  await using under = new SinkUnderTest(service.url, { ...QUICK, maxRetryAfterMs: 50 })
  under.push()
  expect((await under.sink.flush()).delivered.blocks).toBe(1)
})

test('an outage costs one probe per wait however much is queued, and ends with one', async () => {
  let down = true
  await using service = await startService(() => (down ? 503 : 200))
  const retry = { baseDelayMs: 30, maxDelayMs: 30 }
  await using under = new SinkUnderTest(service.url, { metadataRetry: retry, blocksRetry: retry })
  for (let i = 0; i < 500; i++) under.push('log', 1)
  await service.until(({ length }) => length >= 12)
  // The first three ran at once and found the outage; since then every request waited for the one before.
  const probes = service.requests.slice(3)
  const elapsed = probes.at(-1)!.atMs - service.requests[0]!.atMs
  expect(elapsed).toBeGreaterThan(20)
  down = false
  expect((await under.sink.flush()).delivered.blocks).toBe(500)
  expect(service.requests.length).toBeLessThan(502 + 40)
})

test('probes during an outage are never more than one at a time', async () => {
  let running = 0
  let most = 0
  let down = false
  await using service = await startService(async () => {
    if (!down) return 200
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 3))
    running--
    return 503
  })
  await using under = new SinkUnderTest(service.url, QUICK)
  under.push()
  await under.sink.flush()
  down = true
  for (let i = 0; i < 50; i++) under.push()
  await service.until(({ length }) => length >= 9)
  most = 0 // the first attempts of the outage are behind us
  await service.until(({ length }) => length >= 29)
  expect(most).toBe(1)
})

test('a refused connection is retried, and told once it lasts, and once it is over', async () => {
  const service = await startService()
  const { port } = service
  await service.close()
  await using under = new SinkUnderTest(`http://127.0.0.1:${port}`, QUICK)
  under.push('log', 3)
  await until(() => under.warnings.length > 0)
  expect(under.sink.stats()).toMatchObject({ state: 'unreachable', pending: { blocks: 1, events: 3 } })
  await using _ = await service.listen(port)
  expect((await under.sink.flush()).delivered).toEqual({ blocks: 1, events: 3 })
  expect(under.warnings).toEqual([
    `micromegas: cannot upload to http://127.0.0.1:${port}: ECONNREFUSED; telemetry is kept and retried`,
    `micromegas: uploads to http://127.0.0.1:${port} work again`,
  ])
  expect(under.sink.stats().state).toBe('working')
})

test('a block the server always fails on is set aside, and holds up nobody meanwhile', async () => {
  let poison = ''
  await using service = await startService(({ id }) => (id === poison ? 500 : 200))
  const blocksRetry = { baseDelayMs: 1, maxDelayMs: 5, maxSoloFailures: 5 }
  await using under = new SinkUnderTest(service.url, { ...QUICK, blocksRetry })
  poison = under.push('log', 9).blockId
  const feeding = setInterval(() => under.push('log', 1), 2)
  await until(() => under.sink.stats().dropped.blocks > 0)
  clearInterval(feeding)
  await under.sink.flush()
  const { enqueued, delivered, drops } = under.sink.stats()
  expect(drops).toEqual([{ kind: 'log', reason: 'set_aside', blocks: 1, events: 9 }])
  expect(delivered.blocks).toBe(enqueued.blocks - 1)
  expect(service.requests.filter(({ id }) => id === poison).length).toBeLessThanOrEqual(7)
  expect(under.warnings).toEqual([expect.stringContaining('failed again and again')])
})

test('a block is not set aside in an outage that hits everything', async () => {
  let down = true
  await using service = await startService(() => (down ? 500 : 200))
  const blocksRetry = { baseDelayMs: 0, maxDelayMs: 1, maxSoloFailures: 2 }
  await using under = new SinkUnderTest(service.url, {
    ...QUICK,
    metadataRetry: { baseDelayMs: 0, maxDelayMs: 1 },
    blocksRetry,
  })
  under.push()
  await service.until(({ length }) => length >= 40)
  down = false
  expect(await under.sink.flush()).toMatchObject({ delivered: { blocks: 1 }, dropped: { blocks: 0 } })
})

test('metadata the server always fails on is retried for ever and holds up no block', async () => {
  await using service = await startService(({ insert }) => (insert === 'process' ? 500 : 200))
  await using under = new SinkUnderTest(service.url, { ...QUICK, blocksRetry: { maxSoloFailures: 1 } })
  for (let i = 0; i < 20; i++) {
    const block = under.push()
    await service.until((requests) => requests.some(({ id }) => id === block.blockId))
  }
  await service.until((requests) => requests.filter(({ insert }) => insert === 'process').length >= 10)
  await under.sink.flush({ signal: AbortSignal.timeout(50) }) // the process is never delivered
  expect(under.sink.stats()).toMatchObject({ delivered: { blocks: 20 }, drops: [] })
})

test('requests that are never answered hold up nobody else', async () => {
  let stuck = ''
  const answer = deferred<number>()
  await using service = await startService(({ id }) => (id === stuck ? answer.promise : 200))
  await using under = new SinkUnderTest(service.url, {
    ...QUICK,
    requestTimeoutMs: MAX_TIMER_MS,
    maxInFlightRequests: 2,
  })
  stuck = under.push('log').blockId
  for (let i = 0; i < 20; i++) under.push('metrics')
  await service.until((requests) => requests.filter(({ insert }) => insert === 'block').length >= 21)
  answer.resolve(200)
  expect(await under.sink.flush()).toMatchObject({ dropped: { blocks: 0 }, pending: { blocks: 0 } })
})

test("a body above the server's limit is not even sent", async () => {
  await using service = await startService()
  await using under = new SinkUnderTest(service.url)
  const block = under.push('cpu', 1, 0)
  await under.sink.flush()
  expect(service.of('block').map(({ id }) => id)).toEqual([block.blockId])
  const big = {
    ...block,
    blockId: 'b4a0e4b4-0000-4000-8000-000000000000',
    objects: randomBytes(101 * 1024 * 1024),
  }
  under.sink.onBlock(big)
  expect(await under.sink.flush()).toMatchObject({ dropped: { blocks: 1, events: 1 } })
  expect(under.sink.stats().drops).toEqual([{ kind: 'cpu', reason: 'too_large', blocks: 1, events: 1 }])
  expect(service.of('block')).toHaveLength(1)
})

function randomBytes(count: number): Uint8Array {
  const words = new Uint32Array(count / 4)
  let state = 1
  for (let i = 0; i < words.length; i++) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    words[i] = state ^ (state >>> 13)
  }
  return new Uint8Array(words.buffer)
}
