import { afterEach, expect, test } from 'vitest'
import { startServer } from '../../server/src/index.ts'
import { continueTrace, traceHeaders } from '../../src/interop/trace-headers.ts'
import { initTelemetry } from '../../src/main/init-telemetry.ts'
import type { TelemetryGuard } from '../../src/main/telemetry-guard.ts'
import { InMemoryEventSink } from '../../src/sink/in-memory-event-sink.ts'
import { currentSpan } from '../../src/tracing/spans/open-span.ts'
import { asyncSpan } from '../../src/tracing/spans/span.ts'

const MINUTE_NS = 60_000_000_000n
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`
let telemetry: TelemetryGuard | undefined
afterEach(() => telemetry?.shutdown())

const QUIET = { localSinkEnabled: false, systemMetrics: false, signalHandling: false }

test('a message carries the trace of the span that sent it to the span that handles it', async () => {
  await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  telemetry = initTelemetry({ telemetryUrl: server.url, cpuTracing: true, ...QUIET })
  const headers = await asyncSpan('send', async () => traceHeaders())
  await continueTrace(headers, 'handle', { target: 'jobs', properties: { job: 7 } }, async (span) => {
    expect(currentSpan()).toBe(span)
    await asyncSpan('pay', async () => {})
  })
  await continueTrace(headers, 'refuse', () => Promise.reject(new RangeError('no stock'))).catch(() => {})
  await telemetry.shutdown()
  const nowNs = BigInt(Date.now()) * 1_000_000n
  const rows = await server.query(
    `SELECT name, target, properties, depth FROM process_spans('${telemetry.processId}', 'async') ORDER BY begin`,
    { range: { beginNs: nowNs - MINUTE_NS, endNs: nowNs + MINUTE_NS } },
  )
  const [, trace_id, span_id] = headers.traceparent!.split('-')
  expect(rows).toEqual([
    { name: 'send', target: 'app', depth: 0, properties: { trace_id, span_id } },
    { name: 'handle', target: 'jobs', depth: 0, properties: { trace_id, parent_span_id: span_id, job: '7' } },
    { name: 'pay', target: 'app', depth: 1, properties: {} },
    {
      name: 'refuse',
      target: 'app',
      depth: 0,
      properties: {
        trace_id,
        parent_span_id: span_id,
        'error.type': 'RangeError',
        'exception.message': 'no stock',
      },
    },
  ])
})

function record(): void {
  telemetry = initTelemetry({ cpuTracing: true, sinks: [{ sink: new InMemoryEventSink() }], ...QUIET })
}

test.each<[string, unknown]>([
  ['as texts', { traceparent: TRACEPARENT, tracestate: 'a=1' }],
  ['under names of any case', { Traceparent: TRACEPARENT, TraceState: 'a=1' }],
  ['as bytes', { traceparent: Buffer.from(TRACEPARENT), tracestate: new TextEncoder().encode('a=1') }],
])('headers are read %s, and handed on', async (_, headers) => {
  record()
  const sent = await continueTrace(headers, 'handle', () => traceHeaders())
  expect(sent.traceparent).toMatch(new RegExp(`^00-${TRACE}-(?!${PARENT})[0-9a-f]{16}-01$`))
  expect(sent.tracestate).toBe('a=1')
})

test.each<[string, unknown]>([
  ['none', undefined],
  ['a text', TRACEPARENT],
  ['without traceparent', {}],
  ['with one that is not valid', { traceparent: '00-abc-def-01' }],
  [
    'that throw',
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('refused')
        },
      },
    ),
  ],
])('headers, %s: the function runs, below the span around it', async (_, headers) => {
  record()
  await asyncSpan('around', async (around) => {
    const traceId = await continueTrace(headers, 'handle', (span) => span.traceId)
    expect(traceId).toBe(around.traceId)
    expect(traceId).not.toMatch(/^0+$/)
  })
})

test('outside of a span, and while spans are off, there are no headers', async () => {
  record()
  expect(traceHeaders()).toEqual({})
  await telemetry?.shutdown()
  const headers = { traceparent: TRACEPARENT }
  expect(await continueTrace(headers, 'handle', () => traceHeaders())).toEqual({})
})
