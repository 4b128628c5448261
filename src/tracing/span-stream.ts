import type { CallSite } from './call-site.ts'
import { readTicks } from './clock.ts'
import { EventStream } from './event-stream.ts'
import {
  ASYNC_NAMED_SPAN_BEGIN,
  ASYNC_SPAN_BEGIN,
  CPU_LAYOUT,
  SPAN_INDEX,
  SPAN_LOCATION_INDEX,
  THREAD_NAMED_SPAN_BEGIN,
  THREAD_SPAN_BEGIN,
} from './stream-layouts.ts'

/** Bytes of a span block's events before it is sealed. */
const CPU_BLOCK_BYTES = 512 * 1024
/** Verbosity every span is sent with, as the reference SDK's macros do (`max`); no view reads it. */
const LOD_MAX = 3
/** Open thread spans; deeper ones are left out with their ends, so that a begin without an end cannot grow the stack. */
const MAX_OPEN_SPANS = 1024
/** Reads of a coarse clock that an async span's end waits for a later tick. */
const MAX_CLOCK_READS = 1000
const U32 = 2 ** 32

/** What the spans of one name share; listed once in each block that has such a span's event. */
export class SpanRecord {
  /** Undefined where the name is carried by the event: one record for many names. */
  readonly name: string | undefined
  readonly target: string
  readonly file: string
  readonly line: number
  epoch = 0
  id = 0

  constructor(name: string | undefined, target: string, callSite: CallSite) {
    this.name = name
    this.target = target
    this.file = callSite.file
    this.line = callSite.line
  }
}

/** An async span that has begun. */
export interface OpenAsyncSpan {
  readonly record: SpanRecord
  /** The name, where the record has none. */
  readonly name: string | undefined
  /** Unique in the process, from 1; below 2^53. */
  readonly spanId: number
  /** 0 for a root. */
  readonly parentSpanId: number
  /** The outermost span's id: the span's own for a root. */
  readonly rootSpanId: number
  readonly depth: number
  /** Low 32 bits of the ticks of its begin. */
  beginTicksLow: number
}

/** Writes the begin and end events of thread spans and async spans. */
export class SpanStream extends EventStream {
  /** False while spans are not recorded. */
  enabled = true
  readonly #open: (SpanRecord | undefined)[] = new Array<SpanRecord | undefined>(MAX_OPEN_SPANS).fill(
    undefined,
  )
  readonly #openNames: (string | undefined)[] = new Array<string | undefined>(MAX_OPEN_SPANS).fill(undefined)
  #depth = 0
  #beyond = 0

  constructor() {
    super('cpu', CPU_LAYOUT, CPU_BLOCK_BYTES)
  }

  override open(...start: Parameters<EventStream['open']>): void {
    this.#depth = 0
    this.#beyond = 0
    super.open(...start)
  }

  /** Begins a thread span; it must end in the same turn of the event loop, after the spans begun within it. */
  beginThreadSpan(record: SpanRecord, name?: string): void {
    if (this.#depth === MAX_OPEN_SPANS) {
      this.#beyond++
      this.countInvalid()
      return
    }
    // A begin that could not be written keeps its place, so that its end is not taken for another's.
    const written = this.#writeThreadEvent(THREAD_SPAN_BEGIN, record, name)
    this.#open[this.#depth] = written ? record : undefined
    this.#openNames[this.#depth] = name
    this.#depth++
  }

  /**
   * Ends a thread span. Servers refuse a stream whose ends do not match its begins, so an end without its begin is left
   * out and counted, and spans left open within the one that ends are ended with it.
   */
  endThreadSpan(record: SpanRecord, name?: string): void {
    const top = this.#depth - 1
    if (this.#beyond > 0) {
      this.#beyond--
    } else if (top >= 0 && this.#open[top] === record && this.#openNames[top] === name) {
      this.#depth = top
      this.#writeThreadEvent(THREAD_SPAN_BEGIN + 1, record, name)
    } else if (top >= 0 && this.#open[top] === undefined) {
      this.#depth = top
    } else {
      this.#endUnbalanced(record, name)
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
  endAsyncSpan(span: OpenAsyncSpan): void {
    this.#writeAsyncEvent(1, span)
  }

  #endUnbalanced(record: SpanRecord, name: string | undefined): void {
    this.countInvalid()
    let at = this.#depth - 1
    while (at >= 0 && !(this.#open[at] === record && this.#openNames[at] === name)) at--
    if (at < 0) return
    while (this.#depth > at) this.#endTop()
  }

  #endTop(): void {
    const top = --this.#depth
    const record = this.#open[top]
    if (record !== undefined) this.#writeThreadEvent(THREAD_SPAN_BEGIN + 1, record, this.#openNames[top])
  }

  #writeThreadEvent(typeIndex: number, record: SpanRecord, name: string | undefined): boolean {
    if (name !== undefined) return this.#writeNamedThreadEvent(typeIndex, record, name)
    const start = this.cursor
    if (record.epoch !== this.epoch || start + 17 > this.capacity) {
      if (!this.#place(record, 17)) return false
      return this.#writeThreadEvent(typeIndex, record, name)
    }
    const view = this.view
    view.setUint8(start, typeIndex)
    view.setUint32(start + 1, record.id, true)
    view.setUint32(start + 5, 0, true)
    view.setBigInt64(start + 9, readTicks(), true)
    this.cursor = start + 17
    this.eventCount++
    return true
  }

  #writeNamedThreadEvent(typeIndex: number, record: SpanRecord, name: string): boolean {
    if (!this.#place(record, 25)) return false
    const nameId = this.dependencies.string(name)
    const start = this.cursor
    const view = this.view
    view.setUint8(start, typeIndex + THREAD_NAMED_SPAN_BEGIN)
    setId(view, start + 1, record.id)
    setId(view, start + 9, nameId)
    view.setBigInt64(start + 17, readTicks(), true)
    this.cursor = start + 25
    this.eventCount++
    return true
  }

  #writeAsyncEvent(isEnd: 0 | 1, span: OpenAsyncSpan): void {
    const { record, name } = span
    const size = name === undefined ? 37 : 45
    if (record.epoch !== this.epoch || this.cursor + size > this.capacity || name !== undefined) {
      if (!this.#place(record, size)) return
    }
    const start = this.cursor
    let cursor = start + 9
    const view = this.view
    view.setUint32(start + 1, record.id, true)
    view.setUint32(start + 5, 0, true)
    if (name === undefined) {
      view.setUint8(start, ASYNC_SPAN_BEGIN + isEnd)
    } else {
      view.setUint8(start, ASYNC_NAMED_SPAN_BEGIN + isEnd)
      setId(view, cursor, this.dependencies.string(name))
      cursor += 8
    }
    view.setUint32(cursor, span.spanId, true) // keeps the low 32 bits
    view.setUint32(cursor + 4, span.spanId / U32, true)
    view.setUint32(cursor + 8, span.parentSpanId, true)
    view.setUint32(cursor + 12, span.parentSpanId / U32, true)
    view.setBigInt64(cursor + 16, readTicks(), true)
    if (isEnd === 0) span.beginTicksLow = view.getUint32(cursor + 16, true)
    else if (view.getUint32(cursor + 16, true) === span.beginTicksLow) this.#writeLaterTicks(cursor + 16)
    view.setUint32(cursor + 24, span.depth, true)
    this.cursor = start + size
    this.eventCount++
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
    if (record.name === undefined) {
      record.id = strings.record(SPAN_LOCATION_INDEX, [target, target, file], [record.line, LOD_MAX])
    } else {
      const name = strings.string(record.name)
      record.id = strings.record(SPAN_INDEX, [name, target, target, file], [record.line, LOD_MAX])
    }
    record.epoch = this.epoch
    return true
  }
}

function setId(view: DataView, offset: number, id: number): void {
  view.setUint32(offset, id, true)
  view.setUint32(offset + 4, 0, true) // ids count from 1 in every block: they fit 32 bits
}
