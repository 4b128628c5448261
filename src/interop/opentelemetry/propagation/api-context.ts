import { type Context, context, ROOT_CONTEXT, type Span, type SpanContext, trace } from '@opentelemetry/api'

/** The key behind `suppressTracing()` of `@opentelemetry/core`: a span is not to be made of what runs in such a context. */
const SUPPRESS_TRACING = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

export function isTracingSuppressed(from: Context): boolean {
  return from.getValue(SUPPRESS_TRACING) === true
}

/**
 * A context, whatever a caller passes for one: `undefined` and `null` are the active one, and what is no context is the
 * root, for the API's own functions call its methods.
 */
export function toContext(value: Context | null | undefined): Context {
  const given: unknown = value ?? context.active()
  return isContext(given) ? given : ROOT_CONTEXT
}

/** The span of a context, which may be anything a caller passed for one. */
export function spanOf(value: unknown): Span | undefined {
  return isContext(value) ? trace.getSpan(value) : undefined
}

/** The valid context of a span, which may be anything a caller put into a context as one. */
export function validContextOf(span: Span | undefined): SpanContext | undefined {
  if (typeof span?.spanContext !== 'function') return undefined
  const spanContext: SpanContext | undefined = span.spanContext()
  return isValid(spanContext) ? spanContext : undefined
}

function isContext(value: unknown): value is Context {
  return typeof (value as Partial<Context> | null | undefined)?.getValue === 'function'
}

function isValid(spanContext: SpanContext | undefined): boolean {
  return typeof spanContext === 'object' && spanContext !== null && trace.isSpanContextValid(spanContext)
}
