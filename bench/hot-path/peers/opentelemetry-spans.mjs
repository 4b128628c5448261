import { strict as assert } from 'node:assert'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'

/** OpenTelemetry's trace SDK, flushed as its log SDK is: see `opentelemetry-logs.mjs`. */
export async function loadPeer() {
  let exported = 0
  let last
  const exporter = {
    export(spans, done) {
      exported += spans.length
      last = spans.at(-1)
      done({ code: 0 })
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  }
  const batch = 2_048
  const processor = new BatchSpanProcessor(exporter, { maxQueueSize: batch, maxExportBatchSize: 512 })
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('bench')
  let recorded = 0
  const tasks = [
    {
      id: 'opentelemetry.span',
      async: true,
      batch,
      async run(count) {
        for (let i = 0; i < count; i++) tracer.startSpan('place').end()
        await processor.forceFlush()
        recorded += count
      },
    },
  ]
  return {
    comparesWith: ['span.begin-end', 'span.definition'],
    tasks,
    prove() {
      assert.equal(exported, recorded)
      assert.equal(last.name, 'place')
      assert.ok(last.ended)
    },
  }
}
