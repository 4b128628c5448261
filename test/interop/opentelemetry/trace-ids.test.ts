import { isSpanContextValid, trace } from '@opentelemetry/api'
import { TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace'
import { expect, test } from 'vitest'
import { registerOpenTelemetryBridge } from '../../../src/interop/opentelemetry.ts'
import { spanIdOf, traceIdOf } from '../../../src/tracing/spans/trace-ids.ts'
import type { OpenAsyncSpan } from '../../../src/tracing/streams/span-stream.ts'
import { startRecording } from '../support/recording.ts'

const COUNT = 10_000
const traceIdOfRoot = (rootSpanId: number): string => traceIdOf({ rootSpanId } as OpenAsyncSpan)
const ids = (idOf: (id: number) => string): string[] => Array.from({ length: COUNT }, (_, i) => idOf(i + 1))

test.each([
  ['trace ids', traceIdOfRoot, 32],
  ['span ids', spanIdOf, 16],
])('%s that follow each other differ in half of their bits, wherever in the id', (_, idOf, digits) => {
  const all = ids(idOf)
  expect(new Set(all).size).toBe(COUNT)
  for (const id of all) expect(id).toMatch(new RegExp(`^[0-9a-f]{${digits}}$`))
  const changes = new Array<number>(digits * 4).fill(0)
  for (let i = 1; i < COUNT; i++) {
    const differing = BigInt(`0x${all[i - 1]}`) ^ BigInt(`0x${all[i]}`)
    for (let bit = 0; bit < changes.length; bit++) changes[bit]! += Number((differing >> BigInt(bit)) & 1n)
  }
  // Eight standard deviations (50) about the half: chance does not get there.
  for (const count of changes) expect(Math.abs(count - COUNT / 2)).toBeLessThan(400)
})

test('a sampler elsewhere that goes by the trace id takes the share that it should', () => {
  const sampler = new TraceIdRatioBasedSampler(0.25)
  const taken = ids(traceIdOfRoot).filter((id) => sampler.shouldSample({} as never, id).decision > 0)
  expect(Math.abs(taken.length / COUNT - 0.25)).toBeLessThan(0.04)
})

test('ids of worker threads, beyond 32 bits, are as good', () => {
  const all = Array.from({ length: 1000 }, (_, i) => spanIdOf(2 ** 52 + i * 2 ** 32))
  expect(new Set(all).size).toBe(1000)
  for (const id of all) {
    expect(isSpanContextValid({ traceId: traceIdOfRoot(1), spanId: id, traceFlags: 1 })).toBe(true)
  }
})

test('the same span has the same ids whoever asks', async () => {
  await using _ = startRecording()
  const unregister = registerOpenTelemetryBridge()
  trace.getTracer('t').startActiveSpan('outer', (outer) => {
    expect(trace.getActiveSpan()!.spanContext()).toEqual(outer.spanContext())
    const inner = trace.getTracer('t').startSpan('inner')
    expect(inner.spanContext().traceId).toBe(outer.spanContext().traceId)
    expect(inner.spanContext().spanId).not.toBe(outer.spanContext().spanId)
  })
  unregister()
})
