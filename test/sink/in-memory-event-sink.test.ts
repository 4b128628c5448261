import { afterEach, expect, test } from 'vitest'
import { Level } from '../../src/model/level.ts'
import { InMemoryEventSink } from '../../src/sink/in-memory-event-sink.ts'
import { dispatch } from '../../src/tracing/dispatch.ts'
import { recordImage } from '../../src/tracing/image.ts'
import { logger } from '../../src/tracing/logs/logger.ts'
import { fmetric, imetric } from '../../src/tracing/metric.ts'
import { asyncSpan, span } from '../../src/tracing/spans/span.ts'
import { testBlock, testProcess, testStream } from './support/blocks.ts'

afterEach(() => dispatch.shutdown(100))

function record(sink: InMemoryEventSink): void {
  const now = process.hrtime.bigint()
  dispatch.start({
    process: testProcess({ startTicks: now, startTimeMicros: BigInt(Date.now()) * 1000n }),
    sinks: [{ sink, maxLevel: Level.Trace }],
    filters: { maxLevel: Level.Trace, targetMaxLevels: {}, interopMaxLevel: Level.Trace },
    cpuTracing: true,
    flushPeriodMs: 60_000,
    onSinkError: (error) => {
      throw error
    },
  })
}

test('what was recorded is read back out of the blocks', async () => {
  const sink = new InMemoryEventSink()
  record(sink)
  logger('shop').info`order ${42} placed`
  logger('shop').warn('slow', { region: 'eu' })
  fmetric('latency', 'ms').record(12.5)
  imetric('orders', 'count').record(3)
  span('outer', () => span('inner', () => {}))
  await asyncSpan('charge', async () => {
    await new Promise(setImmediate)
  })
  recordImage('shot', 'png', new Uint8Array([1, 2, 3]))
  expect(sink.logs()).toEqual([])
  const report = await dispatch.flush()
  expect(report.delivered.blocks).toBe(4)
  expect(sink.logs()).toMatchObject([
    { level: Level.Info, target: 'shop', msg: 'order 42 placed', properties: {} },
    { level: Level.Warn, target: 'shop', msg: 'slow', properties: { region: 'eu' } },
  ])
  expect(sink.metrics()).toMatchObject([
    { name: 'latency', unit: 'ms', value: 12.5 },
    { name: 'orders', unit: 'count', value: 3 },
  ])
  expect(sink.threadSpans().map(({ name, depth }) => [name, depth])).toEqual([
    ['outer', 1],
    ['inner', 2],
  ])
  expect(sink.asyncSpans()).toMatchObject([{ name: 'charge', depth: 0 }])
  expect(sink.images()).toMatchObject([{ name: 'shot', format: 'png', data: Buffer.from([1, 2, 3]) }])
  sink.clear()
  expect([sink.blocks, sink.logs()]).toEqual([[], []])
})

test('a flush reports the blocks since the last one', async () => {
  const sink = new InMemoryEventSink()
  const process = testProcess()
  sink.onStartup(process)
  const stream = testStream(process)
  sink.onBlock(testBlock(stream, 2))
  expect((await sink.flush()).delivered).toEqual({ blocks: 1, events: 2 })
  expect((await sink.flush()).delivered).toEqual({ blocks: 0, events: 0 })
})

test('beyond its limit the oldest blocks are let go and counted; the newest always stays', async () => {
  const sink = new InMemoryEventSink({ maxBytes: 100 })
  const process = testProcess()
  sink.onStartup(process)
  const stream = testStream(process)
  const blocks = [
    testBlock(stream, 1, 50),
    testBlock(stream, 2, 50),
    testBlock(stream, 3, 1),
    testBlock(stream, 4, 500),
  ]
  for (const block of blocks.slice(0, 2)) sink.onBlock(block)
  expect(sink.blocks).toEqual(blocks.slice(0, 2))
  sink.onBlock(blocks[2]!)
  expect(sink.blocks).toEqual(blocks.slice(1, 3))
  sink.onBlock(blocks[3]!)
  expect(sink.blocks).toEqual(blocks.slice(3))
  expect(await sink.flush()).toMatchObject({
    delivered: { blocks: 1, events: 4 },
    dropped: { blocks: 3, events: 6 },
  })
})

test('after the shutdown nothing is taken and everything can still be read', async () => {
  const sink = new InMemoryEventSink()
  const process = testProcess()
  sink.onStartup(process)
  const block = testBlock(testStream(process))
  sink.onBlock(block)
  await sink.shutdown()
  sink.onBlock(testBlock(testStream(process)))
  expect(sink.blocks).toEqual([block])
  expect(sink.process).toBe(process)
})

test.each([0, -1, 1.5, Number.NaN])('a limit of %s is refused', (maxBytes) => {
  expect(() => new InMemoryEventSink({ maxBytes })).toThrow(RangeError)
})
