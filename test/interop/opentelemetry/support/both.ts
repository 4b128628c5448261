import { context, type DiagLogger, DiagLogLevel, diag, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { MeterProvider, MetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { type ReadableSpan, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { registerOpenTelemetryBridge } from '../../../../src/interop/opentelemetry.ts'
import { dispatch } from '../../../../src/tracing/dispatch.ts'
import { type Recording, startRecording } from '../../support/recording.ts'

/** How often the API's diagnostics were told something, by level. */
export interface Told {
  warn: number
  error: number
}

class CollectingReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
  async read(): Promise<ResourceMetrics> {
    return (await this.collect()).resourceMetrics
  }
}

/** OpenTelemetry's own SDK, registered with the API. */
export interface Reference {
  /** Those that have ended. */
  readonly spans: readonly ReadableSpan[]
  readonly metrics: CollectingReader
}

/** Runs `use` with OpenTelemetry's own SDK behind the API. */
export async function withReference<T>(use: (reference: Reference, told: Told) => Promise<T>): Promise<T> {
  const spans: ReadableSpan[] = []
  const nothing = async (): Promise<void> => {}
  const processor: SpanProcessor = {
    onStart: () => {},
    onEnd: (span) => void spans.push(span),
    forceFlush: nothing,
    shutdown: nothing,
  }
  const reader = new CollectingReader()
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [processor] }))
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  try {
    return await use({ spans, metrics: reader }, listen())
  } finally {
    for (const api of [trace, metrics, context, propagation, diag]) api.disable()
  }
}

/** Runs `use` with the bridge behind the API. */
export async function withBridge<T>(use: (recording: Recording, told: Told) => Promise<T>): Promise<T> {
  await using recording = startRecording()
  const unregister = registerOpenTelemetryBridge()
  try {
    return await use(recording, listen())
  } finally {
    unregister()
    diag.disable()
  }
}

/** Asks observable instruments of the bridge for their values, as the end of telemetry does. */
export async function observe(): Promise<void> {
  for (const record of dispatch.beforeEnd) record()
  // Callbacks that are promises settle within some turns.
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

function listen(): Told {
  const told: Told = { warn: 0, error: 0 }
  const none = (): void => {}
  const logger: DiagLogger = {
    warn: () => void told.warn++,
    error: () => void told.error++,
    info: none,
    debug: none,
    verbose: none,
  }
  diag.setLogger(logger, { logLevel: DiagLogLevel.ALL, suppressOverrideMessage: true })
  return told
}

/** What became of a call: what it gave, or that it threw. */
export async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    return { gave: await call() }
  } catch {
    return 'threw'
  }
}
