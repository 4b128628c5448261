import { memberAsI64, memberAsU32, memberAsU64 } from '../../transit/coercions.ts'
import type { TransitObject } from '../../transit/value.ts'
import type { EventOptions } from '../event-options.ts'
import type { DecodedProperties } from './properties.ts'
import { endPropertiesOf, placeOf, SPAN_EVENT_TYPES, type SpanEventType } from './span-event-types.ts'
import type { SpanPlace, SpanRow } from './span-place.ts'
import type { TickConverter } from './tick-converter.ts'

/** One row of the `async_events` view. */
export interface AsyncSpanEvent extends SpanPlace {
  readonly phase: 'begin' | 'end'
  /** Nanoseconds since the Unix epoch. */
  readonly timeNs: bigint
  /** Unique in the process; shown as a signed integer. */
  readonly spanId: bigint
  /** Id of the enclosing span; 0 for none. */
  readonly parentSpanId: bigint
  readonly depth: number
  /** Only ends have some. Frozen, and shared by the events of a block that have the same property set. */
  readonly properties: DecodedProperties
}

/**
 * Reads the async span events of a block of a `cpu` stream; synchronous span events are passed over.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` from the iteration when an event cannot be converted.
 */
export function* readAsyncSpanEvents(
  objects: Iterable<TransitObject>,
  ticks: TickConverter,
  options: EventOptions = {},
): Generator<AsyncSpanEvent, void, undefined> {
  let index = 0
  for (const event of objects) {
    const type = SPAN_EVENT_TYPES.get(event.typeName)
    if (type === undefined) options.onUnknown?.(event.typeName, index)
    else if (type.kind === 'async') yield asyncSpanEvent(type, event, ticks)
    index++
  }
}

function asyncSpanEvent(type: SpanEventType, event: TransitObject, ticks: TickConverter): AsyncSpanEvent {
  return {
    phase: type.phase,
    timeNs: ticks.toNanoseconds(memberAsI64(event, 'time')),
    spanId: BigInt.asIntN(64, memberAsU64(event, 'span_id')),
    parentSpanId: BigInt.asIntN(64, memberAsU64(event, 'parent_span_id')),
    depth: memberAsU32(event, 'depth'),
    ...placeOf(event, type),
    properties: endPropertiesOf(event, type),
  }
}

/** The async spans of a process. */
export interface AsyncSpans {
  /** Spans that begin and end, in order of their begin. */
  readonly spans: readonly SpanRow[]
  /** Events that make no span: without their other half, or with an end that is not after the begin. */
  readonly unmatched: readonly AsyncSpanEvent[]
}

/**
 * Pairs the begins and ends of async spans by span id, wherever they were recorded. As in the reference, a span must
 * last at least a nanosecond. Where ids are used twice the reference multiplies rows; here the first begin goes with the
 * first end, the second with the second, and so on.
 *
 * @param events - The async events of all `cpu` streams of one process, in any order.
 */
export function pairAsyncSpans(events: Iterable<AsyncSpanEvent>): AsyncSpans {
  const begins: AsyncSpanEvent[] = []
  const ends = new Map<bigint, AsyncSpanEvent[]>()
  for (const event of events) {
    if (event.phase === 'begin') {
      begins.push(event)
      continue
    }
    const sameId = ends.get(event.spanId)
    if (sameId === undefined) ends.set(event.spanId, [event])
    else sameId.push(event)
  }
  begins.sort(byTime)
  // latest first, so that the earliest is popped
  for (const sameId of ends.values()) sameId.sort((a, b) => byTime(b, a))
  const spans: SpanRow[] = []
  const unmatched: AsyncSpanEvent[] = []
  for (const begin of begins) {
    const end = ends.get(begin.spanId)?.pop()
    if (end !== undefined && end.timeNs > begin.timeNs) {
      spans.push(toRow(begin, end))
    } else {
      unmatched.push(begin)
      if (end !== undefined) unmatched.push(end)
    }
  }
  for (const sameId of ends.values()) {
    for (let i = sameId.length - 1; i >= 0; i--) unmatched.push(sameId[i]!)
  }
  return { spans, unmatched }
}

function byTime(a: AsyncSpanEvent, b: AsyncSpanEvent): number {
  return a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0
}

function toRow(begin: AsyncSpanEvent, end: AsyncSpanEvent): SpanRow {
  const { name, target, filename, line } = begin
  return {
    id: begin.spanId,
    parent: begin.parentSpanId,
    depth: begin.depth,
    beginNs: begin.timeNs,
    endNs: end.timeNs,
    durationNs: end.timeNs - begin.timeNs,
    name,
    target,
    filename,
    line,
    properties: end.properties,
  }
}
