import { expect, test, vi } from 'vitest'
import type { DeliveryReport, EventSink, LogEntry } from '../../src/model/event-sink.ts'
import { platformClock } from '../../src/model/runtime/clock.ts'
import { CompositeEventSink } from '../../src/sink/composite-event-sink.ts'
import { InMemoryEventSink } from '../../src/sink/in-memory-event-sink.ts'
import { testBlock, testProcess, testStream } from './support/blocks.ts'

const entry: LogEntry = { timeMs: 0, level: 4, target: 't', msg: 'm', properties: undefined }

/** Breaks the contract in every call. */
const failing: EventSink = {
  onStartup: () => {
    throw new Error('startup')
  },
  onLog: () => {
    throw new Error('log')
  },
  onBlock: () => {
    throw new Error('block')
  },
  flush: () => Promise.reject(new Error('flush')),
  shutdown: () => {
    throw new Error('shutdown')
  },
  shutdownSync: () => {
    throw new Error('shutdownSync')
  },
}

test('a sink that fails in every call costs the others nothing, and is reported', async () => {
  const before = new InMemoryEventSink()
  const after = new InMemoryEventSink()
  const errors: unknown[] = []
  const composite = new CompositeEventSink([before, failing, after], {
    onError: (error) => errors.push(error),
  })
  const process = testProcess()
  composite.onStartup(process)
  composite.onLog?.(entry)
  const block = testBlock(testStream(process), 3)
  composite.onBlock?.(block)
  const report = await composite.flush()
  expect(report.delivered).toEqual({ blocks: 2, events: 6 })
  composite.shutdownSync(100)
  await composite.shutdown()
  for (const sink of [before, after]) expect([sink.process, sink.blocks]).toEqual([process, [block]])
  expect(errors.map(String)).toEqual([
    'Error: startup',
    'Error: log',
    'Error: block',
    'Error: flush',
    'Error: shutdownSync',
    'Error: shutdown',
  ])
})

test('a composite asks for logs and blocks only if one of its sinks does', () => {
  const { flush, shutdown } = new InMemoryEventSink()
  const quiet: EventSink = { onStartup() {}, flush, shutdown }
  expect(new CompositeEventSink([quiet]).onLog).toBeUndefined()
  expect(new CompositeEventSink([quiet]).onBlock).toBeUndefined()
  expect(new CompositeEventSink([quiet, { ...quiet, onLog() {} }]).onLog).toBeDefined()
  expect(new CompositeEventSink([new InMemoryEventSink()]).onLog).toBeUndefined()
})

test('reports are added up, and every shutdown call returns the same promise', async () => {
  const report = (n: number): DeliveryReport => ({
    delivered: { blocks: n, events: 2 * n },
    dropped: { blocks: 3 * n, events: 4 * n },
    spooled: { blocks: 5 * n, events: 6 * n },
    pending: { blocks: 7 * n, events: 8 * n },
  })
  const sinkOf = (n: number): EventSink => ({
    onStartup() {},
    flush: () => Promise.resolve(report(n)),
    shutdown: () => Promise.resolve(report(n)),
  })
  const composite = new CompositeEventSink([sinkOf(1), sinkOf(10)])
  expect(await composite.flush()).toEqual(report(11))
  const stopped = composite.shutdown()
  expect(composite.shutdown()).toBe(stopped)
  expect(await stopped).toEqual(report(11))
})

test('sinks that end a process share its time', () => {
  const given: number[] = []
  const slow: EventSink = {
    onStartup() {},
    flush: failing.flush,
    shutdown: failing.shutdown,
    shutdownSync(timeoutMs) {
      given.push(timeoutMs)
      nowMs += 60
    },
  }
  let nowMs = 1_000
  const now = vi.spyOn(platformClock, 'now').mockImplementation(() => nowMs)
  new CompositeEventSink([slow, slow, slow]).shutdownSync(100)
  now.mockRestore()
  expect(given).toEqual([100, 40, 0])
})
