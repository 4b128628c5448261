import type { CallSite } from '../call-site.ts'
import { readTicks, writeTicks } from '../clock.ts'
import type { PropertySet } from '../values/property-set.ts'
import { BLOCK_BYTES } from './block-memory.ts'
import { EventStream } from './event-stream.ts'
import { idBits } from './id-bits.ts'
import {
  ASYNC_NAMED_SPAN_BEGIN,
  ASYNC_SPAN_BEGIN,
  ASYNC_TAGGED_SPAN_END,
  CPU_LAYOUT,
  SPAN_INDEX,
  SPAN_LOCATION_INDEX,
  SPAN_PROPERTY_SET_INDEX,
  THREAD_NAMED_SPAN_BEGIN,
  THREAD_SPAN_BEGIN,
  THREAD_TAGGED_SPAN_END,
} from './stream-layouts.ts'

/** Verbosity every span is sent with, as the reference SDK's macros do (`max`); no view reads it. */
const LOD_MAX = 3
/** Open thread spans; deeper ones are left out with their ends, so that a begin without an end cannot grow the stack. */
const MAX_OPEN_SPANS = 1024
/** Reads of a coarse clock that an async span's end waits for a later tick. */
const MAX_CLOCK_READS = 1000
/** Shifts a whole number by 32 bits; a multiplication, for a division takes longer. */
const HIGH_WORD = 2 ** -32

/** What the spans of one name share; listed once in each block that has such a span's event. */
export class SpanRecord {
  readonly name: string
  readonly target: string
  readonly file: string
  readonly line: number
  /** Where the name is carried by the events: the record that stands for all such names. Its own record is not listed. */
  readonly location: SpanLocation | undefined
  epoch = 0
  idBits = 0

  constructor(name: string, target: string, callSite: CallSite, location?: SpanLocation) {
    this.name = name
    this.target = target
    this.file = callSite.file
    this.line = callSite.line
    this.location = location
  }
}

/** What spans share that carry their name themselves. */
export class SpanLocation {
  readonly target: string
  epoch = 0
  idBits = 0

  constructor(target: string) {
    this.target = target
  }
}

/** A span of another process that caused one here: what a W3C `traceparent` says. */
export interface RemoteParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  /** Bit 0: the caller records the trace. */
  readonly traceFlags: number
  /** `tracestate`, as it came. */
  readonly traceState?: string | undefined
}

/** An async span that has begun. */
export interface OpenAsyncSpan {
  readonly record: SpanRecord
  /** Unique in the process, from 1; below 2^53. */
  readonly spanId: number
  /** 0 for a root. */
  readonly parentSpanId: number
  /** The outermost span's id: the span's own for a root. */
  readonly rootSpanId: number
  readonly depth: number
  /** The trace of another process that the outermost span goes on with. */
  readonly remote?: RemoteParent | undefined
  /** Low 32 bits of the ticks of its begin. */
  beginTicksLow: number
  /** From its begin to its end. */
  isOpen: boolean
  /** What logs within the span are tagged with: alone, and with the properties they were last recorded with. */
  logTags?: PropertySet | undefined
  mergedFrom?: PropertySet | undefined
  mergedTags?: PropertySet | undefined
}

/** Writes the begin and end events of thread spans and async spans. */
export class SpanStream extends EventStream {
  /** False while spans are not recorded. */
  enabled = true
  /** Whether ends carry properties, which servers before 0.33 do not read. */
  tagsEnds = true
  readonly #open: (SpanRecord | undefined)[] = new Array<SpanRecord | undefined>(MAX_OPEN_SPANS).fill(
    undefined,
  )
  #depth = 0
  #beyond = 0

  constructor() {
    super('cpu', CPU_LAYOUT, BLOCK_BYTES)
  }

  override open(...start: Parameters<EventStream['open']>): void {
    const lostEvents = this.refusing
    super.open(...start)
    // Where ends may be among what was lost, the spans that seem open would hold all that comes.
    if (lostEvents) this.endOpenThreadSpans()
  }

  override close(onLate?: () => void): void {
    this.endOpenThreadSpans()
    super.close(onLate)
  }

  override turnOff(): void {
    this.#depth = 0
    this.#beyond = 0
    super.turnOff()
  }

  /** Begins a thread span; it must end in the same turn of the event loop, after the spans begun within it. */
  beginThreadSpan(record: SpanRecord): void {
    if (this.refusing) return this.refuse()
    const depth = this.#depth
    if (depth === MAX_OPEN_SPANS) {
      this.#beyond++
      this.countInvalid()
      return
    }
    // A begin that could not be written keeps its place, so that its end is not taken for another's.
    this.#open[depth] = this.#writeThreadEvent(THREAD_SPAN_BEGIN, record) ? record : undefined
    this.#depth = depth + 1
  }

  /**
   * Ends a thread span. Servers refuse a stream whose ends do not match its begins, so an end without its begin is left
   * out and counted, and spans left open within the one that ends are ended with it.
   */
  endThreadSpan(record: SpanRecord, properties?: PropertySet): void {
    if (this.refusing) return this.refuse()
    const top = this.#depth - 1
    if (this.#beyond > 0) {
      this.#beyond--
    } else if (top >= 0 && this.#open[top] === record) {
      this.#depth = top
      if (properties === undefined) this.#writeThreadEvent(THREAD_SPAN_BEGIN + 1, record)
      else this.#writeTaggedThreadEnd(record, properties)
    } else if (top >= 0 && this.#open[top] === undefined) {
      this.#depth = top
    } else {
      this.#endUnbalanced(record)
    }
  }

  /** Thread spans that are open. */
  get openThreadSpans(): number {
    return this.#depth
  }

  /** Ends every thread span: none outlives a turn of the event loop unless its end was forgotten. */
  endOpenThreadSpans(): void {
    this.#beyond = 0
    while (this.#depth > 0) this.#endTop()
  }

  beginAsyncSpan(span: OpenAsyncSpan): void {
    this.#writeAsyncEvent(0, span)
  }

  /** Ends an async span later than it began, if only by a tick: servers leave out spans of no duration. */
  endAsyncSpan(span: OpenAsyncSpan, properties?: PropertySet): void {
    if (properties === undefined || !this.tagsEnds) this.#writeAsyncEvent(1, span)
    else this.#writeTaggedAsyncEnd(span, properties)
  }

  #endUnbalanced(record: SpanRecord): void {
    this.countInvalid()
    let at = this.#depth - 1
    while (at >= 0 && !(this.#open[at] === record)) at--
    if (at < 0) return
    while (this.#depth > at) this.#endTop()
  }

  #endTop(): void {
    const top = --this.#depth
    const record = this.#open[top]
    if (record !== undefined) this.#writeThreadEvent(THREAD_SPAN_BEGIN + 1, record)
  }

  #writeThreadEvent(typeIndex: number, record: SpanRecord): boolean {
    const start = this.cursor
    if (record.epoch !== this.epoch || start + 17 > this.capacity) {
      return this.#writeThreadEventCold(typeIndex, record)
    }
    const view = this.view
    view.setUint8(start, typeIndex)
    view.setFloat64(start + 1, record.idBits, true)
    writeTicks(view, start + 9)
    this.cursor = start + 17
    this.eventCount++
    return true
  }

  #writeThreadEventCold(typeIndex: number, record: SpanRecord): boolean {
    if (record.location !== undefined) return this.#writeNamedThreadEvent(typeIndex, record, record.location)
    return this.#place(record, 17) && this.#writeThreadEvent(typeIndex, record)
  }

  #writeNamedThreadEvent(typeIndex: number, record: SpanRecord, location: SpanLocation): boolean {
    if (!this.prepare(25)) return false
    this.#listLocation(location)
    const nameId = this.dependencies.string(record.name)
    const start = this.cursor
    const view = this.view
    view.setUint8(start, typeIndex + THREAD_NAMED_SPAN_BEGIN)
    view.setFloat64(start + 1, location.idBits, true)
    view.setFloat64(start + 9, idBits(nameId), true)
    writeTicks(view, start + 17)
    this.cursor = start + 25
    this.eventCount++
    return true
  }

  #writeAsyncEvent(isEnd: 0 | 1, span: OpenAsyncSpan): void {
    const record = span.record
    if (record.location !== undefined) return this.#writeNamedAsyncEvent(isEnd, span, record.location)
    if (record.epoch !== this.epoch || this.cursor + 37 > this.capacity) {
      if (!this.#place(record, 37)) return
    }
    const start = this.cursor
    const view = this.view
    view.setUint8(start, ASYNC_SPAN_BEGIN + isEnd)
    view.setFloat64(start + 1, record.idBits, true)
    this.#writeAsyncMembers(start + 9, isEnd, span)
    this.cursor = start + 37
    this.eventCount++
  }

  #writeNamedAsyncEvent(isEnd: 0 | 1, span: OpenAsyncSpan, location: SpanLocation): void {
    if (!this.prepare(45)) return
    this.#listLocation(location)
    const nameId = this.dependencies.string(span.record.name)
    const start = this.cursor
    const view = this.view
    view.setUint8(start, ASYNC_NAMED_SPAN_BEGIN + isEnd)
    view.setFloat64(start + 1, location.idBits, true)
    view.setFloat64(start + 9, idBits(nameId), true)
    this.#writeAsyncMembers(start + 17, isEnd, span)
    this.cursor = start + 45
    this.eventCount++
  }

  /** A span whose name is not remembered has a plain end: what names it must be the same as at its begin. */
  #writeTaggedThreadEnd(record: SpanRecord, properties: PropertySet): void {
    if (record.location !== undefined || !this.tagsEnds) {
      this.#writeThreadEvent(THREAD_SPAN_BEGIN + 1, record)
      return
    }
    if (!this.#placeTagged(record, properties, 25)) return
    const start = this.cursor
    const view = this.view
    view.setUint8(start, THREAD_TAGGED_SPAN_END)
    view.setFloat64(start + 1, record.idBits, true)
    view.setFloat64(start + 9, properties.cpuIdBits, true)
    writeTicks(view, start + 17)
    this.cursor = start + 25
    this.eventCount++
  }

  /** The name is that of the begin event: here it may stand in a record, whether it is remembered or not. */
  #writeTaggedAsyncEnd(span: OpenAsyncSpan, properties: PropertySet): void {
    if (!this.#placeTagged(span.record, properties, 45)) return
    const start = this.cursor
    const view = this.view
    view.setUint8(start, ASYNC_TAGGED_SPAN_END)
    view.setFloat64(start + 1, span.record.idBits, true)
    view.setFloat64(start + 9, properties.cpuIdBits, true)
    this.#writeAsyncMembers(start + 17, 1, span)
    this.cursor = start + 45
    this.eventCount++
  }

  #placeTagged(record: SpanRecord, properties: PropertySet, size: number): boolean {
    if (
      record.epoch === this.epoch &&
      properties.cpuEpoch === this.epoch &&
      this.cursor + size <= this.capacity
    ) {
      return true
    }
    if (!this.#place(record, size)) return false
    if (properties.cpuEpoch !== this.epoch) {
      properties.cpuIdBits = idBits(
        this.dependencies.propertySet(SPAN_PROPERTY_SET_INDEX, properties.entries),
      )
      properties.cpuEpoch = this.epoch
    }
    return true
  }

  #writeAsyncMembers(offset: number, isEnd: 0 | 1, span: OpenAsyncSpan): void {
    const view = this.view
    view.setUint32(offset, span.spanId, true) // keeps the low 32 bits
    view.setUint32(offset + 4, span.spanId * HIGH_WORD, true)
    view.setUint32(offset + 8, span.parentSpanId, true)
    view.setUint32(offset + 12, span.parentSpanId * HIGH_WORD, true)
    writeTicks(view, offset + 16)
    const ticksLow = view.getUint32(offset + 16, true)
    if (isEnd === 0) span.beginTicksLow = ticksLow
    else if (ticksLow === span.beginTicksLow) this.#writeLaterTicks(offset + 16)
    view.setUint32(offset + 24, span.depth, true)
  }

  /**
   * Waits for a coarse clock's next tick, so that this event and the ones after it stay in order; where the clock
   * stands still, one tick is added.
   */
  #writeLaterTicks(offset: number): void {
    const written = this.view.getBigInt64(offset, true)
    let ticks = written
    for (let i = 0; i < MAX_CLOCK_READS && ticks === written; i++) ticks = readTicks()
    this.view.setBigInt64(offset, ticks === written ? written + 1n : ticks, true)
  }

  #place(record: SpanRecord, size: number): boolean {
    if (!this.prepare(size)) return false
    if (record.epoch === this.epoch) return true
    const strings = this.dependencies
    const target = strings.string(record.target)
    const file = strings.string(record.file)
    const name = strings.string(record.name)
    record.idBits = idBits(strings.record(SPAN_INDEX, [name, target, target, file], [record.line, LOD_MAX]))
    record.epoch = this.epoch
    return true
  }

  #listLocation(location: SpanLocation): void {
    if (location.epoch === this.epoch) return
    const strings = this.dependencies
    const target = strings.string(location.target)
    const file = strings.string('')
    location.idBits = idBits(strings.record(SPAN_LOCATION_INDEX, [target, target, file], [0, LOD_MAX]))
    location.epoch = this.epoch
  }
}
