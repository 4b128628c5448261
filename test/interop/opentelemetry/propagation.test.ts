import {
  context,
  createTraceState,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
} from '@opentelemetry/api'
import { suppressTracing, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { BaggagePropagator } from '../../../src/interop/opentelemetry/propagation/baggage-propagator.ts'
import { TraceContextPropagator } from '../../../src/interop/opentelemetry/propagation/trace-context-propagator.ts'
import { registerOpenTelemetryBridge } from '../../../src/interop/opentelemetry.ts'
import { asyncSpan } from '../../../src/tracing/spans/span.ts'
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

test('the flags sampled and random are handed on, others are not', () => {
  const carrier = { traceparent: `00-${TRACE}-${SPAN}-ff` }
  const context = ours.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
  expect(trace.getSpanContext(context)?.traceFlags).toBe(3)
  const sent: Record<string, string> = {}
  ours.inject(context, sent, defaultTextMapSetter)
  expect(sent.traceparent).toBe(`00-${TRACE}-${SPAN}-03`)
})

function baggageOf(propagator: BaggagePropagator | W3CBaggagePropagator, header: unknown): unknown {
  const context = propagator.extract(ROOT_CONTEXT, { baggage: header }, defaultTextMapGetter)
  const entries = propagation.getBaggage(context)?.getAllEntries()
  return entries?.map(([key, { value, metadata }]) => [key, value, metadata?.toString()])
}

function headerOf(propagator: BaggagePropagator | W3CBaggagePropagator, entries: object): unknown {
  const carrier = {}
  const context = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage(entries as never))
  propagator.inject(context, carrier, defaultTextMapSetter)
  return carrier
}

const baggage = new BaggagePropagator()
const referenceBaggage = new W3CBaggagePropagator()

test.each([
  'a=1',
  'a=1,b=2;secret;ttl=30,c=%20x%2C',
  ' a = 1 , b = 2 ',
  'a=1=2,b==',
  'a,=1,b=,,',
  'a=%zz,b=1',
  'a=1;',
  '__proto__=1,constructor=2',
  'a=1,a=2',
  `a=${'x'.repeat(4094)},b=1`,
  `a=${'x'.repeat(4095)},b=1`,
  Array.from({ length: 200 }, (_, i) => `k${i}=${i}`).join(','),
  Array.from({ length: 5 }, (_, i) => `k${i}=${'x'.repeat(2000)}`).join(','),
  ['a=1', 'b=2'],
  '',
  undefined,
])('baggage is read as OpenTelemetry reads it: %j', (header) => {
  if (header === '__proto__=1,constructor=2') {
    // OpenTelemetry's own loses the first, which is the name of a property that all objects have.
    expect(baggageOf(baggage, header)).toEqual([
      ['__proto__', '1', undefined],
      ['constructor', '2', undefined],
    ])
  } else expect(baggageOf(baggage, header)).toEqual(baggageOf(referenceBaggage, header))
})

test.each([
  { a: { value: '1' } },
  { 'a b': { value: 'x,y;z=ü' }, c: { value: '' } },
  Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`k${i}`, { value: `${i}` }])),
  Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`k${i}`, { value: 'x'.repeat(2000) }])),
  { a: { value: 'x'.repeat(5000) }, b: { value: '1' } },
  {},
])('baggage is sent as OpenTelemetry sends it', (entries) => {
  expect(headerOf(baggage, entries)).toEqual(headerOf(referenceBaggage, entries))
})

test('baggage that no header can carry costs itself, and none is sent where tracing is suppressed', () => {
  expect(headerOf(baggage, { a: { value: '\ud800' }, b: { value: '1' } })).toEqual({ baggage: 'b=1' })
  const carrier = {}
  const context = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ a: { value: '1' } }))
  baggage.inject(suppressTracing(context), carrier, defaultTextMapSetter)
  baggage.inject(ROOT_CONTEXT, carrier, defaultTextMapSetter)
  expect(carrier).toEqual({})
})

test('whatever the header, baggage is read as OpenTelemetry reads it', () => {
  const header = fc.array(
    fc.oneof(fc.constantFrom('a', 'b', '=', ',', ';', ' ', '%20', '%', 'ü'), fc.string()),
  )
  fc.assert(
    fc.property(
      header.map((parts) => parts.join('')).filter((text) => !text.includes('__proto__')),
      (text) => {
        expect(baggageOf(baggage, text)).toEqual(baggageOf(referenceBaggage, text))
      },
    ),
  )
})

test('the bridge carries baggage and trace, from span to span', async () => {
  await using _ = startRecording()
  const unregister = registerOpenTelemetryBridge()
  expect(propagation.fields()).toEqual(['traceparent', 'tracestate', 'baggage'])
  const headers: Record<string, string> = {}
  const sent = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ tenant: { value: 'ada' } }))
  trace.getTracer('t').startActiveSpan('call', {}, sent, (span) => {
    propagation.inject(context.active(), headers)
    span.end()
  })
  expect(Object.keys(headers)).toEqual(['traceparent', 'baggage'])
  const received = propagation.extract(ROOT_CONTEXT, headers)
  context.with(received, () => expect(propagation.getActiveBaggage()?.getEntry('tenant')?.value).toBe('ada'))
  unregister()
})

test('a request that is sent from a span of ours carries it, and the receiver’s spans have its trace', async () => {
  await using _ = startRecording()
  const unregister = registerOpenTelemetryBridge()
  await asyncSpan('ours', async () => {
    const headers: Record<string, string> = {}
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
