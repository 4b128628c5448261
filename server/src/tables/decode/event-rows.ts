import {
  readAsyncSpanEvents,
  readImages,
  readLogEntries,
  readMeasures,
  type TickConverter,
  type TransitObject,
} from 'micromegas/wire'
import type { DecodedViewSet } from '../schema.ts'
import { ColumnBuffer } from './column-buffer.ts'
import { Dictionary, PlaceDictionary, PropertyDictionary } from './dictionary.ts'

/** Numbers given so far in the tables of repeated values. */
export interface DictionaryStart {
  readonly text: number
  readonly properties: number
  readonly place: number
}

/** What the events of a block came to. */
export interface EventCount {
  readonly rowCount: number
  readonly bytes: bigint
  /** Nanoseconds since the Unix epoch; undefined without rows. */
  readonly minNs: bigint | undefined
  readonly maxNs: bigint | undefined
}

/** Rows made from events, waiting to be appended, with the texts and properties they refer to. */
export class EventRows {
  readonly texts: Dictionary
  readonly properties: PropertyDictionary
  readonly places: PlaceDictionary
  readonly logs = new ColumnBuffer('log_rows', ['i32', 'i64', 'i32', 'i32', 'text', 'i32'])
  readonly measures = new ColumnBuffer('measure_rows', ['i32', 'i64', 'i32', 'i32', 'i32', 'f64', 'i32'])
  readonly asyncEvents = new ColumnBuffer('async_rows', [
    'i32',
    'i64',
    'u8',
    'i64',
    'i64',
    'u32',
    'i32',
    'i32',
  ])
  readonly spans = new ColumnBuffer('span_rows', [
    'i32',
    'i64',
    'i64',
    'i64',
    'u32',
    'i64',
    'i64',
    'i32',
    'i32',
  ])
  readonly images = new ColumnBuffer('image_rows', ['i32', 'i64', 'text', 'i32', 'bytes'])

  constructor(start: DictionaryStart) {
    this.texts = new Dictionary('texts', start.text)
    this.properties = new PropertyDictionary('property_sets', start.properties)
    this.places = new PlaceDictionary(start.place)
  }

  /** What is to be appended, referred-to values first. */
  get buffers(): readonly ColumnBuffer[] {
    const { texts, properties, places, logs, measures, asyncEvents, spans, images } = this
    return [texts.pending, properties.pending, places.pending, logs, measures, asyncEvents, spans, images]
  }

  get rowCount(): number {
    const { logs, measures, asyncEvents, spans, images } = this
    return logs.rowCount + measures.rowCount + asyncEvents.rowCount + spans.rowCount + images.rowCount
  }

  /** Drops all that waits. */
  forget(): void {
    for (const buffer of this.buffers) buffer.take()
    this.texts.forget()
    this.properties.forget()
    this.places.forget()
  }

  /**
   * Adds the rows that a set of views makes of a block: all of them or, when one cannot be made, none.
   *
   * @param number - The block's number in the tables.
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT`.
   */
  addBlock(
    viewSet: Exclude<DecodedViewSet, 'thread_spans'>,
    number: number,
    objects: Iterable<TransitObject>,
    ticks: TickConverter,
  ): EventCount {
    const count = new Counter()
    const { texts, properties } = this
    switch (viewSet) {
      case 'log_entries':
        for (const { timeNs, level, target, msg, properties: set } of [...readLogEntries(objects, ticks)]) {
          this.logs.push(number, timeNs, texts.numberOf(target), level, msg, properties.numberOfSet(set))
          count.add(timeNs, msg.length)
        }
        break
      case 'measures':
        for (const { timeNs, name, unit, value, target, properties: set } of [
          ...readMeasures(objects, ticks),
        ]) {
          this.measures.push(
            number,
            timeNs,
            texts.numberOf(target),
            texts.numberOf(name),
            texts.numberOf(unit),
            value,
            properties.numberOfSet(set),
          )
          count.add(timeNs, 8)
        }
        break
      case 'async_events':
        for (const event of [...readAsyncSpanEvents(objects, ticks)]) {
          this.asyncEvents.push(
            number,
            event.timeNs,
            event.phase === 'end' ? 1 : 0,
            event.spanId,
            event.parentSpanId,
            event.depth,
            this.places.numberOf(event),
            properties.numberOfSet(event.properties),
          )
          count.add(event.timeNs, 24)
        }
        break
      case 'images':
        for (const { timeNs, name, format, data } of [...readImages(objects, ticks)]) {
          this.images.push(number, timeNs, name, texts.numberOf(format), data)
          count.add(timeNs, data.length)
        }
    }
    return count
  }
}

class Counter implements EventCount {
  rowCount = 0
  bytes = 0n
  minNs: bigint | undefined
  maxNs: bigint | undefined

  add(timeNs: bigint, bytes: number): void {
    this.rowCount++
    this.bytes += BigInt(bytes + ROW_BYTES)
    if (this.minNs === undefined || timeNs < this.minNs) this.minNs = timeNs
    if (this.maxNs === undefined || timeNs > this.maxNs) this.maxNs = timeNs
  }
}

/** About what a row's numbers take. */
const ROW_BYTES = 24
