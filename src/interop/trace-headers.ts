import { dispatch } from '../tracing/dispatch.ts'
import { DEFAULT_TARGET, toName } from '../tracing/metric.ts'
import {
  type ActiveSpan,
  LateSpan,
  lateRecord,
  type OpenSpan,
  UNRECORDED,
} from '../tracing/spans/open-span.ts'
import type { SpanRunOptions } from '../tracing/spans/span.ts'
import { spanIdOf } from '../tracing/spans/trace-ids.ts'
import type { RemoteParent } from '../tracing/streams/span-stream.ts'
import { readTraceParent, TRACEPARENT, TRACESTATE, traceHeadersOf } from './http/trace-parent.ts'

/**
 * The headers by which whoever gets a message continues the trace of the span that the caller runs in: `traceparent` and,
 * where the trace has one, `tracestate` (W3C Trace Context). The span gets the properties `trace_id` and `span_id`, which
 * the receiver's span has as `trace_id` and `parent_span_id`.
 *
 * @returns A new object, to be sent with the message; empty outside of an async span, and while spans are off.
 */
export function traceHeaders(): Record<string, string> {
  const { asyncSpans, cpu } = dispatch
  const span = asyncSpans.getStore() as OpenSpan | undefined
  if (!cpu.enabled || typeof span?.set !== 'function') return {}
  span.set({ trace_id: span.traceId, span_id: spanIdOf(span.spanId) })
  return Object.fromEntries(traceHeadersOf(span))
}

/**
 * Measures the handling of a message as an async span, like `asyncSpan`, that continues the trace of whoever sent it. The
 * span has the properties `trace_id` and `parent_span_id` of the sender. Without a valid `traceparent` it is an ordinary
 * span, below the one that the caller runs in.
 *
 * @param headers - Those of the message: names in any case, values as texts or as bytes. Whatever is passed, the function
 * runs.
 * @param name - May be changed until the span ends.
 */
export function continueTrace<T>(
  headers: unknown,
  name: string,
  fn: (span: ActiveSpan) => PromiseLike<T> | T,
): Promise<T>
export function continueTrace<T>(
  headers: unknown,
  name: string,
  options: SpanRunOptions,
  fn: (span: ActiveSpan) => PromiseLike<T> | T,
): Promise<T>
export async function continueTrace<T>(
  headers: unknown,
  name: string,
  optionsOrFn: SpanRunOptions | ((span: ActiveSpan) => PromiseLike<T> | T),
  given?: (span: ActiveSpan) => PromiseLike<T> | T,
): Promise<T> {
  const fn = given ?? (optionsOrFn as (span: ActiveSpan) => PromiseLike<T> | T)
  const options = fn === given ? (optionsOrFn as SpanRunOptions) : undefined
  const { asyncSpans, cpu } = dispatch
  if (!cpu.enabled || cpu.refusing) {
    if (cpu.enabled) cpu.refuse(2)
    return fn(UNRECORDED)
  }
  const remote = readHeaders(headers)
  const target = options?.target === undefined ? DEFAULT_TARGET : toName(options.target)
  const parent = remote === undefined ? asyncSpans.getStore() : undefined
  const span = new LateSpan(lateRecord(toName(name), target), parent, remote)
  span.begin()
  if (remote !== undefined) span.set({ trace_id: remote.traceId, parent_span_id: remote.spanId })
  if (options?.properties !== undefined) span.set(options.properties)
  try {
    return await asyncSpans.run(span, async () => fn(span))
  } catch (error) {
    span.fail(error)
    throw error
  } finally {
    span.end()
  }
}

function readHeaders(headers: unknown): RemoteParent | undefined {
  try {
    if (typeof headers !== 'object' || headers === null) return undefined
    return readTraceParent(headerOf(headers, TRACEPARENT), headerOf(headers, TRACESTATE))
  } catch {
    return undefined // a getter or a proxy that throws
  }
}

function headerOf(headers: object, name: string): unknown {
  const own = Object.keys(headers).find((key) => key.toLowerCase() === name)
  if (own === undefined) return undefined
  const value = (headers as Readonly<Record<string, unknown>>)[own]
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
}
