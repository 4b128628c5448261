import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { context, metrics, trace } from '@opentelemetry/api'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withoutTracing } from '../../../src/http/clients/suppress-tracing.ts'
import { registerOpenTelemetryBridge } from '../../../src/interop/opentelemetry.ts'
import { dispatch } from '../../../src/tracing/dispatch.ts'
import { startService } from '../../sink/support/service.ts'
import { SinkUnderTest } from '../../sink/support/sink.ts'
import { startRecording } from '../support/recording.ts'

let unregister: () => void
beforeEach(() => {
  unregister = registerOpenTelemetryBridge()
})
afterEach(() => unregister())

test('what instrumentation measures of the package’s own requests is not recorded, also across calls', async () => {
  await using recording = startRecording()
  const meter = metrics.getMeter('http')
  const measure = async (): Promise<void> => {
    const counter = meter.createCounter('requests')
    await new Promise((resolve) => setImmediate(resolve))
    counter.add(1)
    meter.createHistogram('duration').record(1)
    meter.createUpDownCounter('open').add(1)
    meter.createGauge('last').record(1)
    context.with(trace.setSpan(context.active(), trace.getTracer('t').startSpan('s')), () => counter.add(1))
    trace.getTracer('t').startActiveSpan('span', (span) => span.end())
  }
  await withoutTracing(measure)
  const sink = recording.read()
  expect(sink.metrics()).toEqual([])
  expect(sink.asyncSpans()).toEqual([])
  await measure()
  expect(recording.read().metrics()).toHaveLength(5)
})

test('the same without traces, where the bridge has no context manager', async () => {
  unregister()
  unregister = registerOpenTelemetryBridge({ traces: false })
  await using recording = startRecording()
  await withoutTracing(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    metrics.getMeter('http').createCounter('requests').add(1)
  })
  expect(recording.read().metrics()).toEqual([])
})

test('a listener that measures each request of undici does not make uploads of uploads', async () => {
  await using recording = startRecording()
  const duration = metrics.getMeter('undici').createHistogram('http.client.request.duration')
  const listener = (): void => duration.record(1)
  subscribe('undici:request:trailers', listener)
  try {
    await using service = await startService()
    await using under = new SinkUnderTest(service.url)
    for (let i = 0; i < 3; i++) {
      under.push()
      await under.sink.flush()
    }
    expect(under.sink.stats().attempts).toBe(5) // process, stream, three blocks
    expect(recording.read().metrics()).toEqual([])
    const response = await fetch(service.url, { method: 'POST', body: '{}' })
    await response.arrayBuffer()
    expect(recording.read().metrics()).toHaveLength(1)
  } finally {
    unsubscribe('undici:request:trailers', listener)
  }
})

test('observable instruments are asked once more when telemetry ends', async () => {
  const recording = startRecording()
  metrics
    .getMeter('t')
    .createObservableGauge('depth')
    .addCallback((result) => result.observe(7))
  const { recorded } = dispatch.stats.metrics
  await recording[Symbol.asyncDispose]()
  expect(dispatch.stats.metrics.recorded).toBe(recorded + 1)
})

test('callbacks of observable instruments run in the context of no request', async () => {
  await using _ = startRecording()
  let seen: unknown = 'not asked'
  trace.getTracer('t').startActiveSpan('request', (span) => {
    metrics
      .getMeter('t')
      .createObservableGauge('g')
      .addCallback(() => {
        seen = trace.getActiveSpan()
      })
    for (const ask of dispatch.beforeEnd) ask()
    span.end()
  })
  expect(seen).toBeUndefined()
})

test('the providers flush as those of OpenTelemetry’s SDK, for hosts that are frozen between calls', async () => {
  await using recording = startRecording()
  const tracers = trace.getTracerProvider() as unknown as { getDelegate(): { forceFlush(): Promise<void> } }
  const meters = metrics.getMeterProvider() as unknown as {
    forceFlush(): Promise<void>
    shutdown(): Promise<void>
  }
  metrics.getMeter('t').createCounter('c').add(1)
  metrics
    .getMeter('t')
    .createObservableGauge('g')
    .addCallback((result) => result.observe(7))
  await tracers.getDelegate().forceFlush()
  await meters.forceFlush()
  await meters.shutdown()
  metrics.getMeter('t').createCounter('c').add(1)
  const names = recording
    .read()
    .metrics()
    .map(({ name }) => name)
  expect(names).toEqual(['c', 'g', 'c'])
})
