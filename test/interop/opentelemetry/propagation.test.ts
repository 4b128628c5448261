import {
  createTraceState,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
} from '@opentelemetry/api'
import { suppressTracing, W3CTraceContextPropagator } from '@opentelemetry/core'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { TraceContextPropagator } from '../../../src/interop/opentelemetry/trace-context-propagator.ts'
import { registerOpenTelemetryBridge } from '../../../src/interop/opentelemetry.ts'
import { asyncSpan } from '../../../src/tracing/span.ts'
import { startRecording } from '../support/recording.ts'

const ours = new TraceContextPropagator()
const reference = new W3CTraceContextPropagator()

afterEach(() => propagation.disable())

function extracted(propagator: TraceContextPropagator | W3CTraceContextPropagator, carrier: object): unknown {
  const spanContext = trace.getSpanContext(propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter))
  if (spanContext === undefined) return undefined
  return {
    ...spanContext,
    traceFlags: spanContext.traceFlags & 1,
    traceState: spanContext.traceState?.serialize() || undefined,
  }
}

function injected(
  propagator: TraceContextPropagator | W3CTraceContextPropagator,
  spanContext: SpanContext,
): unknown {
  const carrier = {}
  propagator.inject(trace.setSpanContext(ROOT_CONTEXT, spanContext), carrier, defaultTextMapSetter)
  return carrier
}

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

test.each([
  { traceparent: `00-${TRACE}-${SPAN}-01` },
  { traceparent: `00-${TRACE}-${SPAN}-00`, tracestate: 'a=1,b=2' },
  { traceparent: [`00-${TRACE}-${SPAN}-01`, 'other'], tracestate: ['a=1', 'b=2'] },
  { traceparent: `cc-${TRACE}-${SPAN}-01-what-comes-later` },
  { traceparent: `00-${TRACE}-${SPAN}-01-more` },
  { traceparent: `ff-${TRACE}-${SPAN}-01` },
  { traceparent: `00-${'0'.repeat(32)}-${SPAN}-01` },
  { traceparent: `00-${TRACE}-${'0'.repeat(16)}-01` },
  { traceparent: `00-${TRACE.toUpperCase()}-${SPAN}-01` },
  { traceparent: `00-${TRACE}-${SPAN}` },
  { traceparent: '' },
  { tracestate: 'a=1' },
  { traceparent: 12 },
  { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 12 },
  {},
])('a header is read as OpenTelemetry reads it: %j', (carrier) => {
  expect(extracted(ours, carrier)).toEqual(extracted(reference, carrier))
})

const hexDigits = (length: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: length / 2, maxLength: length / 2 })
    .map((bytes) => Buffer.from(bytes).toString('hex'))

test('whatever the ids, what is sent is what OpenTelemetry sends, and reads back', () => {
  fc.assert(
    fc.property(hexDigits(32), hexDigits(16), fc.boolean(), (traceId, spanId, sampled) => {
      const spanContext = {
        traceId,
        spanId,
        traceFlags: sampled ? 1 : 0,
        traceState: createTraceState('a=1'),
      }
      const carrier = injected(ours, spanContext) as object
      expect(carrier).toEqual(injected(reference, spanContext))
      expect(extracted(ours, carrier)).toEqual(extracted(reference, carrier))
    }),
  )
})

test('whatever the header, it is read as OpenTelemetry reads it', () => {
  const header = fc.oneof(
    fc.string(),
    fc.tuple(hexDigits(2), hexDigits(32), hexDigits(16), hexDigits(2)).map((parts) => parts.join('-')),
  )
  fc.assert(
    fc.property(header, fc.string(), (traceparent, tracestate) => {
      const carrier = { traceparent, tracestate }
      expect(extracted(ours, carrier)).toEqual(extracted(reference, carrier))
    }),
  )
})

test('nothing is sent without a span, or where tracing is suppressed', () => {
  const carrier = {}
  ours.inject(ROOT_CONTEXT, carrier, defaultTextMapSetter)
  const spanContext = { traceId: TRACE, spanId: SPAN, traceFlags: 1 }
  ours.inject(suppressTracing(trace.setSpanContext(ROOT_CONTEXT, spanContext)), carrier, defaultTextMapSetter)
  expect(carrier).toEqual({})
})

test('a request that is sent from a span of ours carries it, and the receiver’s spans have its trace', async () => {
  await using _ = startRecording()
  const unregister = registerOpenTelemetryBridge()
  await asyncSpan('ours', async () => {
    const headers: Record<string, string> = {}
    const { context } = await import('@opentelemetry/api')
    propagation.inject(context.active(), headers)
    const { traceId, spanId } = trace.getActiveSpan()!.spanContext()
    expect(headers).toEqual({ traceparent: `00-${traceId}-${spanId}-01` })
    const incoming = propagation.extract(ROOT_CONTEXT, headers)
    const served = trace.getTracer('t').startSpan('serve', {}, incoming)
    expect(served.spanContext().traceId).toBe(traceId)
    served.end()
  })
  unregister()
  expect(propagation.fields()).toEqual([])
})

test('a propagator of the host’s stays, before and after', () => {
  propagation.setGlobalPropagator(reference)
  const unregister = registerOpenTelemetryBridge()
  expect(propagation.fields()).toEqual(reference.fields())
  unregister()
  expect(propagation.fields()).toEqual(reference.fields())
  propagation.disable()
  registerOpenTelemetryBridge({ propagation: false })()
  expect(propagation.fields()).toEqual([])
})
