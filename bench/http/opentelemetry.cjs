/** OpenTelemetry's SDK with its HTTP instrumentation, exporting by OTLP with gzip, as its documentation sets it up. */
const { metrics, trace, context } = require('@opentelemetry/api')
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks')
const { OTLPMetricExporter } = require('@opentelemetry/exporter-metrics-otlp-proto')
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto')
const { registerInstrumentations } = require('@opentelemetry/instrumentation')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics')
const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base')

const url = process.env.MICROMEGAS_TELEMETRY_URL
const spans = new OTLPTraceExporter({ url: `${url}/v1/traces`, compression: 'gzip' })
const exporter = new OTLPMetricExporter({ url: `${url}/v1/metrics`, compression: 'gzip' })
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
// With the queue of its default, 2048 spans, most would be dropped, which costs less than to export them.
const batches = new BatchSpanProcessor(spans, { maxQueueSize: 100_000 })
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [batches] }))
metrics.setGlobalMeterProvider(
  new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] }),
)
// Requests that the exporters make would be recorded too.
const http = new HttpInstrumentation({ disableOutgoingRequestInstrumentation: true })
registerInstrumentations({ instrumentations: [http] })
// Instrumentations meet what is required from now on; the server imports the same object.
require('node:http')
