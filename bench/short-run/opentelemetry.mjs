/** OpenTelemetry's SDK with its batch processors and exporters, by OTLP with gzip, as its documentation sets it up. */
import { strict as assert } from 'node:assert'
import { createRequire } from 'node:module'
import { asyncWork, count, inSteps, orderOf, sendCpu, url, what } from './work.mjs'

// As CommonJS, which is what its packages are in Node.
const require = createRequire(import.meta.url)
const { context, trace } = require('@opentelemetry/api')
/** The queue must hold what comes between two flushes: what is dropped would cost less than what is sent. */
const BATCHES = { maxQueueSize: 8_192, maxExportBatchSize: 2_048 }
let delivered = 0

/** Counts what the server has taken. */
function counting(exporter) {
  const send = exporter.export.bind(exporter)
  exporter.export = (records, done) =>
    send(records, (result) => {
      assert.equal(result.code, 0, 'no export fails')
      delivered += records.length
      done(result)
    })
  return exporter
}

if (what === 'logs') {
  const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-proto')
  const { BatchLogRecordProcessor, LoggerProvider } = require('@opentelemetry/sdk-logs')
  const exporter = counting(new OTLPLogExporter({ url: `${url}/v1/logs`, compression: 'gzip' }))
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter, ...BATCHES })] })
  const logger = provider.getLogger('shop')
  const record = (i) => {
    const [order, ms] = orderOf(i)
    logger.emit({ severityNumber: 9, severityText: 'INFO', body: `order ${order} placed in ${ms} ms` })
  }
  await inSteps(record, () => provider.forceFlush())
  await provider.shutdown()
  assert.equal(delivered, count)
} else {
  const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks')
  const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto')
  const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base')
  const exporter = counting(new OTLPTraceExporter({ url: `${url}/v1/traces`, compression: 'gzip' }))
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter, BATCHES)] })
  trace.setGlobalTracerProvider(provider)
  const tracer = trace.getTracer('shop')
  const record = () =>
    tracer.startActiveSpan('place order', async (span) => {
      try {
        return await asyncWork()
      } finally {
        span.end()
      }
    })
  await inSteps(record, () => provider.forceFlush())
  await provider.shutdown()
  assert.equal(delivered, count)
}
sendCpu()
