import { expect, test } from 'vitest'
import { BLOCK_OVERHEAD_BYTES } from '../../src/sink/upload/upload-item.ts'
import { startService } from './support/service.ts'
import { QUICK, SinkUnderTest } from './support/sink.ts'

/** Blocks of 1000 bytes as the budget counts them, into a sink whose server does not answer. */
const BLOCK_BYTES = 1_000
const options = { ...QUICK, maxQueueBytes: 3 * BLOCK_BYTES, hardQueueBytes: 6 * BLOCK_BYTES }

function pushSized(under: SinkUnderTest, kind: 'log' | 'metrics' | 'cpu' | 'image', events = 1): boolean {
  const before = under.sink.stats().dropped.blocks
  under.push(kind, events, BLOCK_BYTES - BLOCK_OVERHEAD_BYTES)
  return under.sink.stats().dropped.blocks === before
}

test('spans and images are taken up to the soft limit and refused from it on', async () => {
  await using service = await startService(() => undefined)
  await using under = new SinkUnderTest(service.url, options)
  expect([1, 2, 3].map(() => pushSized(under, 'cpu'))).toEqual([true, true, true])
  expect(under.sink.stats().heldBytes).toBe(3 * BLOCK_BYTES)
  expect([pushSized(under, 'cpu', 4), pushSized(under, 'image', 5)]).toEqual([false, false])
  expect(under.sink.stats().drops).toEqual([
    { kind: 'cpu', reason: 'queue_full', blocks: 1, events: 4 },
    { kind: 'image', reason: 'queue_full', blocks: 1, events: 5 },
  ])
})

test('one byte below the soft limit a span block is still taken', async () => {
  await using service = await startService(() => undefined)
  await using under = new SinkUnderTest(service.url, options)
  under.push('log', 1, 3 * BLOCK_BYTES - BLOCK_OVERHEAD_BYTES - 1)
  expect(under.sink.stats().heldBytes).toBe(3 * BLOCK_BYTES - 1)
  expect(pushSized(under, 'cpu')).toBe(true)
})

test('logs and metrics are taken up to the hard limit and refused from it on', async () => {
  await using service = await startService(() => undefined)
  await using under = new SinkUnderTest(service.url, options)
  for (let i = 0; i < 3; i++) pushSized(under, 'cpu')
  expect(['log', 'metrics', 'log'].map((kind) => pushSized(under, kind as 'log'))).toEqual([true, true, true])
  expect([pushSized(under, 'log'), pushSized(under, 'metrics')]).toEqual([false, false])
})

test('the hard limit is raised to the soft one', async () => {
  await using service = await startService(() => undefined)
  await using under = new SinkUnderTest(service.url, { ...options, hardQueueBytes: 1 })
  expect([1, 2, 3, 4].map(() => pushSized(under, 'log'))).toEqual([true, true, true, false])
})

test('metadata is taken whatever the limits', async () => {
  await using service = await startService(({ insert }) => (insert === 'block' ? undefined : 200))
  await using under = new SinkUnderTest(service.url, { ...options, maxQueueBytes: 1, hardQueueBytes: 1 })
  expect(pushSized(under, 'log')).toBe(true)
  expect(pushSized(under, 'log')).toBe(false)
  await service.until((requests) => requests.length >= 3)
  expect(service.requests.map(({ insert }) => insert)).toEqual(expect.arrayContaining(['process', 'stream']))
})

test('what is in flight, or waits for another attempt, counts; what is delivered does not', async () => {
  let mode: 'silent' | 'failing' | 'working' = 'silent'
  await using service = await startService(() =>
    mode === 'silent' ? undefined : mode === 'failing' ? 503 : 200,
  )
  await using under = new SinkUnderTest(service.url, { ...options, requestTimeoutMs: 100 })
  for (let i = 0; i < 3; i++) pushSized(under, 'cpu')
  await service.until(({ length }) => length >= 3)
  expect(under.sink.stats()).toMatchObject({ inFlightRequests: 3, heldBytes: 3 * BLOCK_BYTES })
  expect(pushSized(under, 'cpu')).toBe(false)
  mode = 'failing'
  await service.until(({ length }) => length >= 6)
  expect(pushSized(under, 'cpu')).toBe(false)
  mode = 'working'
  await under.sink.flush()
  expect(under.sink.stats().heldBytes).toBe(0)
  expect(pushSized(under, 'cpu')).toBe(true)
})

test('drops are taken once, and only while uploads work', async () => {
  let down = true
  await using service = await startService(() => (down ? 503 : 200))
  await using under = new SinkUnderTest(service.url, options)
  for (let i = 0; i < 5; i++) pushSized(under, 'cpu', 2)
  await service.until(({ length }) => length >= 4)
  expect(under.sink.takeDrops()).toEqual([])
  down = false
  await under.sink.flush()
  expect(under.sink.takeDrops()).toEqual([{ kind: 'cpu', reason: 'queue_full', blocks: 2, events: 4 }])
  expect(under.sink.takeDrops()).toEqual([])
  expect(under.sink.stats().drops).toHaveLength(1)
  expect(under.warnings.filter((line) => line.includes('sheds cpu blocks'))).toHaveLength(1)
})

/** Uniform in [0, 1), the same every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test.each([1, 2, 3])(
  'under random faults every block is accounted for at every moment (seed %i)',
  async (seed) => {
    const random = seeded(seed)
    const stored = new Set<string>()
    await using service = await startService(async ({ insert, id }, response) => {
      const dice = random()
      if (dice < 0.1) {
        response.socket?.resetAndDestroy()
        return undefined
      }
      if (dice < 0.2) return { status: 503, headers: random() < 0.5 ? { 'retry-after': '0' } : {} }
      if (dice < 0.23) return 500
      if (dice < 0.26) return undefined
      if (dice < 0.3) return 400
      if (insert === 'block') stored.add(id)
      if (dice < 0.35) {
        response.socket?.resetAndDestroy() // stored, but we do not hear of it
        return undefined
      }
      if (dice < 0.4) await new Promise((resolve) => setTimeout(resolve, random() * 20))
      return 200
    })
    await using under = new SinkUnderTest(service.url, {
      ...QUICK,
      requestTimeoutMs: 60,
      maxQueueBytes: 40_000,
      hardQueueBytes: 60_000,
    })
    const { sink } = under
    const enqueued = { blocks: 0, events: 0 }
    const check = (): void => {
      const stats = sink.stats()
      expect(stats.enqueued).toEqual(enqueued)
      for (const what of ['blocks', 'events'] as const) {
        expect(stats.delivered[what] + stats.dropped[what] + stats.pending[what]).toBe(stats.enqueued[what])
      }
      const listed = stats.drops.filter(({ kind }) => kind !== 'metadata')
      expect(listed.reduce((sum, { events }) => sum + events, 0)).toBe(stats.dropped.events)
      expect(stats.heldBytes).toBeLessThan(60_000 + 2_000)
      expect(stats.inFlightRequests).toBeLessThanOrEqual(3)
    }
    const kinds = ['log', 'metrics', 'cpu', 'image'] as const
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 8; i++) {
        const events = 1 + Math.floor(random() * 50)
        under.push(kinds[Math.floor(random() * 4)]!, events, Math.floor(random() * 1_500))
        enqueued.blocks++
        enqueued.events += events
      }
      check()
      await new Promise((resolve) => setTimeout(resolve, random() * 15))
      check()
    }
    await sink.flush()
    check()
    const { delivered, dropped, pending } = sink.stats()
    expect(pending).toEqual({ blocks: 0, events: 0 })
    expect(delivered.blocks).toBeLessThanOrEqual(stored.size)
    expect(delivered.blocks + dropped.blocks).toBe(enqueued.blocks)
    expect(delivered.blocks).toBeGreaterThan(20)
  },
)
