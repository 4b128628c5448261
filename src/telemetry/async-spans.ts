import {
  memberAsI64,
  memberAsObject,
  memberAsString,
  memberAsU32,
  memberAsU64,
} from '../transit/coercions.ts'
import type { TransitObject } from '../transit/value.ts'
import type { EventOptions } from './event-options.ts'
import { type SpanPlace, type SpanRow, spanPlace } from './span-place.ts'
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
    switch (event.typeName) {
      case 'BeginAsyncSpanEvent':
      case 'BeginAsyncNamedSpanEvent':
        yield asyncSpanEvent('begin', event, ticks)
        break
      case 'EndAsyncSpanEvent':
      case 'EndAsyncNamedSpanEvent':
        yield asyncSpanEvent('end', event, ticks)
        break
      case 'BeginThreadSpanEvent':
      case 'EndThreadSpanEvent':
      case 'BeginThreadNamedSpanEvent':
      case 'EndThreadNamedSpanEvent':
        break
      default:
        options.onUnknown?.(event.typeName, index)
    }
    index++
  }
}

function asyncSpanEvent(phase: 'begin' | 'end', event: TransitObject, ticks: TickConverter): AsyncSpanEvent {
  const isNamed = event.typeName.endsWith('AsyncNamedSpanEvent')
  const desc = memberAsObject(event, isNamed ? 'span_location' : 'span_desc')
  return {
    phase,
    timeNs: ticks.toNanoseconds(memberAsI64(event, 'time')),
    spanId: BigInt.asIntN(64, memberAsU64(event, 'span_id')),
    parentSpanId: BigInt.asIntN(64, memberAsU64(event, 'parent_span_id')),
    depth: memberAsU32(event, 'depth'),
    ...spanPlace(desc, memberAsString(isNamed ? event : desc, 'name')),
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
  }
}
