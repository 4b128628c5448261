import type { Context } from '@opentelemetry/api'

/** The key behind `suppressTracing()` of `@opentelemetry/core`: a span is not to be made of what runs in such a context. */
const SUPPRESS_TRACING = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

export function isTracingSuppressed(context: Context): boolean {
  return context.getValue(SUPPRESS_TRACING) === true
}
