import { dispatch } from '../dispatch.ts'
import type { OpenAsyncSpan } from '../streams/span-stream.ts'
import { PropertySet } from '../values/property-set.ts'
import { traceIdOf } from './trace-ids.ts'

/** The properties of a log, with the ids of the span that its caller runs in. */
export function logTags(own: PropertySet | undefined): PropertySet | undefined {
  const span = loggingSpan()
  return span === undefined ? own : tagsWithin(span, own)
}

/** The span that a log is recorded in, where logs say so; a span that has ended is none. */
export function loggingSpan(): OpenAsyncSpan | undefined {
  // To look for the span takes a third of what a log takes, so it is done only where there may be one.
  if (!dispatch.tagsLogs || dispatch.openAsyncSpans === 0) return undefined
  const span = dispatch.asyncSpans.getStore()
  return span?.isOpen === true ? span : undefined
}

/**
 * What a log within a span is tagged with: `span_id` as a decimal, as the views have it, and `trace_id`; after the log's own
 * properties, which keep those names where they have them. A set is made once for a span, and not remembered longer.
 */
export function tagsWithin(span: OpenAsyncSpan, own: PropertySet | undefined): PropertySet {
  if (own === undefined) {
    span.logTags ??= new PropertySet([
      ['span_id', String(span.spanId)],
      ['trace_id', traceIdOf(span)],
    ])
    return span.logTags
  }
  // A logger with properties of its own is used more than once within a span.
  if (span.mergedFrom === own) return span.mergedTags!
  const names = new Set(own.entries.map(([name]) => name))
  const ids = tagsWithin(span, undefined).entries.filter(([name]) => !names.has(name))
  const merged = ids.length === 0 ? own : new PropertySet([...own.entries, ...ids])
  span.mergedFrom = own
  span.mergedTags = merged
  return merged
}
