import {
  type Context,
  createTraceState,
  isSpanContextValid,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api'
import { isTracingSuppressed } from './api-context.ts'

const TRACEPARENT = 'traceparent'
const TRACESTATE = 'tracestate'
/** Version, trace id, parent id, flags; versions above 00 may go on after a dash. */
const FORMAT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Sampled (level 1 of the recommendation), random trace id (level 2); others are not handed on. */
const KNOWN_FLAGS = 0b11

/** Carries traces from process to process in the headers of the W3C recommendation "Trace Context". */
export class TraceContextPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const spanContext = trace.getSpanContext(context)
    if (spanContext === undefined || !isSpanContextValid(spanContext) || isTracingSuppressed(context)) return
    const { traceId, spanId, traceFlags, traceState } = spanContext
    const flags = (traceFlags & KNOWN_FLAGS).toString(16).padStart(2, '0')
    setter.set(carrier, TRACEPARENT, `00-${traceId}-${spanId}-${flags}`)
    const state = traceState?.serialize()
    if (state !== undefined && state !== '') setter.set(carrier, TRACESTATE, state)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const parents = getter.get(carrier, TRACEPARENT)
    const parent = Array.isArray(parents) ? parents[0] : parents
    const match = typeof parent === 'string' ? FORMAT.exec(parent.trim()) : null
    if (match === null) return context
    const [, version, traceId, spanId, flags, rest] = match
    if (version === 'ff' || (version === '00' && rest !== undefined)) return context
    const spanContext = {
      traceId: traceId!,
      spanId: spanId!,
      traceFlags: Number.parseInt(flags!, 16) & KNOWN_FLAGS,
      isRemote: true,
    }
    if (!isSpanContextValid(spanContext)) return context
    const header = getter.get(carrier, TRACESTATE)
    const state = Array.isArray(header) ? header.join(',') : header
    if (typeof state !== 'string') return trace.setSpanContext(context, spanContext)
    return trace.setSpanContext(context, { ...spanContext, traceState: createTraceState(state) })
  }

  fields(): string[] {
    return [TRACEPARENT, TRACESTATE]
  }
}
