import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'
import { startServer } from '../../server/src/index.ts'

const propagator = new W3CTraceContextPropagator()
const fixture = fileURLToPath(new URL('./fixtures/calls-another.mjs', import.meta.url))

test('a service with OpenTelemetry’s SDK and one of ours that call each other share a trace, and show who called', async () => {
  await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  const beginNs = BigInt(Date.now()) * 1_000_000n
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const tracer = provider.getTracer('theirs')

  const theirs = createServer((request, response) => {
    const caller = propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter)
    tracer.startSpan('answer', { kind: SpanKind.SERVER }, caller).end()
    response.end('ok')
  }).listen(0, '127.0.0.1')
  await once(theirs, 'listening')
  const address = `http://127.0.0.1:${(theirs.address() as AddressInfo).port}`
  const ours = spawn(process.execPath, ['--import', 'micromegas/register', fixture, address], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      PATH: process.env.PATH,
      MICROMEGAS_TELEMETRY_URL: server.url,
      MICROMEGAS_INSTRUMENT_OPENTELEMETRY: 'false',
    },
  })
  const [line] = (await once(createInterface(ours.stdout), 'line')) as [string]

  const call = tracer.startSpan('call', { kind: SpanKind.CLIENT })
  const headers: Record<string, string> = {}
  propagator.inject(trace.setSpan(ROOT_CONTEXT, call), headers, defaultTextMapSetter)
  const answer = await fetch(`http://127.0.0.1:${line.replace(/\D+/, '')}/`, { headers })
  expect(await answer.text()).toBe('ok')
  call.end()
  const ended = once(ours, 'exit')
  ours.kill('SIGTERM')
  await ended
  theirs.close()

  const [process_] = await server.query('SELECT process_id FROM processes')
  const spans = await server.query(
    `SELECT id, parent, name, properties FROM process_spans('${String(process_!.process_id)}', 'async') ORDER BY begin`,
    { range: { beginNs, endNs: BigInt(Date.now()) * 1_000_000n } },
  )
  const { traceId, spanId } = call.spanContext()
  const [answered, asked] = spans as [Record<string, unknown>, Record<string, unknown>]
  expect(answered).toMatchObject({
    parent: 0n,
    properties: { 'span.kind': 'SERVER', trace_id: traceId, parent_span_id: spanId },
  })
  const theirAnswer = exporter.getFinishedSpans().find(({ name }) => name === 'answer')
  expect(theirAnswer?.spanContext().traceId).toBe(traceId)
  expect(asked).toMatchObject({
    parent: answered.id,
    properties: {
      'span.kind': 'CLIENT',
      trace_id: traceId,
      span_id: theirAnswer?.parentSpanContext?.spanId,
    },
  })
})
