import type { OpenSpan } from '../../tracing/spans/open-span.ts'
import { spanIdOf, traceIdOf } from '../../tracing/spans/trace-ids.ts'
import type { RemoteParent } from '../../tracing/streams/span-stream.ts'

/** Version, trace id, parent id, flags; versions above 00 may go on after a dash. Source: W3C Trace Context, section 3.2. */
const FORMAT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)
/** Sampled, random trace id; others are not handed on. */
const KNOWN_FLAGS = 0b11
const SAMPLED = 0b01

/** What the header `traceparent` says of the caller; `undefined` where it is missing or not valid. */
export function readTraceParent(header: unknown, state: unknown): RemoteParent | undefined {
  if (typeof header !== 'string') return undefined
  const [, version, traceId, spanId, flags, rest] = FORMAT.exec(header.trim()) ?? []
  if (traceId === undefined || spanId === undefined || version === 'ff') return undefined
  if ((version === '00' && rest !== undefined) || traceId === NO_TRACE || spanId === NO_SPAN) return undefined
  const traceFlags = Number.parseInt(flags!, 16) & KNOWN_FLAGS
  const traceState = Array.isArray(state) ? state.join(',') : state
  return { traceId, spanId, traceFlags, traceState: typeof traceState === 'string' ? traceState : undefined }
}

export const TRACEPARENT = 'traceparent'
export const TRACESTATE = 'tracestate'

/** The headers by which another process continues the trace below this span. */
export function traceHeadersOf(span: OpenSpan): [name: string, value: string][] {
  const headers: [string, string][] = [[TRACEPARENT, writeTraceParent(span)]]
  if (span.remote?.traceState !== undefined) headers.push([TRACESTATE, span.remote.traceState])
  return headers
}

/** The header by which another process continues the trace below this span. */
export function writeTraceParent(span: OpenSpan): string {
  const flags = (span.remote?.traceFlags ?? SAMPLED).toString(16).padStart(2, '0')
  return `00-${traceIdOf(span)}-${spanIdOf(span.spanId)}-${flags}`
}
