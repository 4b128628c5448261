import { readTicks } from '../clock.ts'
import { MAX_SPAN_NAMES } from '../limits.ts'
import { BoundedTable, TableBound } from '../values/bounded-table.ts'
import type { PropertySet } from '../values/property-set.ts'
import { BLOCK_BYTES } from './block-memory.ts'
import { EventStream } from './event-stream.ts'
import { idBits } from './id-bits.ts'
import { type OpenAsyncSpan, SpanRecord } from './span-stream.ts'
import {
  ASYNC_SPAN_BEGIN,
  ASYNC_TAGGED_SPAN_END,
  CPU_LAYOUT,
  SPAN_INDEX,
  SPAN_PROPERTY_SET_INDEX,
} from './stream-layouts.ts'

/** Spans that wait to be written; with more of them a block is made. Writing them takes about a millisecond. */
const MAX_ENDED = 2048
/** Spans that are open at once; the name of one beyond is that of its begin. */
const MAX_OPEN = 10_000
/** A span that is open for longer is shown while it lasts, under the name it has then. */
const SHOWN_AFTER_TICKS = 5_000_000_000n
/** Names and targets that are remembered; past them each span lists its own. */
export const lateNameBound: TableBound = new TableBound(MAX_SPAN_NAMES)
/** Verbosity, as of all spans. */
const LOD_MAX = 3
const HIGH_WORD = 2 ** -32
const PLACELESS = { file: '', line: 0 }

/** An async span whose name, target and properties may change until it ends. */
export interface LateAsyncSpan extends OpenAsyncSpan {
  record: SpanRecord
  beginTicks: bigint
  /** 0 while it is open. */
  endTicks: bigint
  /** Whether its begin has been written. */
  isBegun: boolean
  /** Whether it was open when recording stopped. */
  isUnfinished: boolean
  /** What it is tagged with, once it has ended. */
  propertiesAtEnd(): PropertySet | undefined
}

interface Edge {
  readonly span: LateAsyncSpan
  readonly ticks: bigint
  readonly isEnd: boolean
}

/**
 * Writes async spans when they end, begin and end together: names are taken from begin events, and are known late. What
 * has ended is kept until the block is sealed, and put in order of time, as within every block. The stream is one of kind
 * `cpu` of its own, since its blocks overlap in time.
 */
export class LateSpanStream extends EventStream {
  /** See `SpanStream.tagsEnds`. */
  tagsEnds = true
  readonly #records = new BoundedTable<string, SpanRecord>(lateNameBound)
  readonly #open = new Set<LateAsyncSpan>()
  /** Of those that are open, the ones whose begin is written. */
  readonly #shown = new Set<LateAsyncSpan>()
  #ended: Edge[] = []

  constructor() {
    super('cpu', CPU_LAYOUT, BLOCK_BYTES)
  }

  /** What spans of that name share in this stream. */
  recordOf(
    name: string,
    target: string,
    place: { readonly file: string; readonly line: number } = PLACELESS,
  ): SpanRecord {
    const key = `${target.length}:${target}${name}`
    const known = this.#records.get(key)
    if (known !== undefined) return known
    const make = (): SpanRecord => new SpanRecord(name, target, place)
    return this.#records.make(key, make) ?? make()
  }

  begin(span: LateAsyncSpan): void {
    span.beginTicks = readTicks()
    if (this.#open.size < MAX_OPEN) {
      this.#open.add(span)
    } else {
      this.#ended.push({ span, ticks: span.beginTicks, isEnd: false })
      span.isBegun = true
      this.#writeWhenMany()
    }
  }

  /** Ends a span later than it began, if only by a tick. A span that was written when recording stopped is over. */
  end(span: LateAsyncSpan): void {
    if (span.endTicks !== 0n) return
    if (this.refusing) {
      this.refuse(span.isBegun ? 1 : 2)
      return
    }
    this.#open.delete(span)
    this.#shown.delete(span)
    const ticks = readTicks()
    span.endTicks = ticks > span.beginTicks ? ticks : span.beginTicks + 1n
    if (!span.isBegun) this.#ended.push({ span, ticks: span.beginTicks, isEnd: false })
    this.#ended.push({ span, ticks: span.endTicks, isEnd: true })
    this.#writeWhenMany()
  }

  override seal(): void {
    const before = readTicks() - SHOWN_AFTER_TICKS
    for (const span of this.#open) {
      if (span.beginTicks > before) break // they are in order of their begin
      this.#show(span)
    }
    this.#write()
    super.seal()
  }

  /** What is open is written as it is known. */
  override close(onLate?: () => void): void {
    const ticks = readTicks()
    for (const span of this.#open) this.#show(span)
    for (const span of this.#shown) {
      span.isUnfinished = true
      span.endTicks = ticks > span.beginTicks ? ticks : span.beginTicks + 1n
      this.#ended.push({ span, ticks: span.endTicks, isEnd: true })
    }
    this.#shown.clear()
    super.close(onLate)
  }

  override turnOff(): void {
    this.#open.clear()
    this.#shown.clear()
    this.#ended = []
    super.turnOff()
  }

  #show(span: LateAsyncSpan): void {
    this.#open.delete(span)
    this.#shown.add(span)
    span.isBegun = true
    this.#ended.push({ span, ticks: span.beginTicks, isEnd: false })
  }

  #writeWhenMany(): void {
    if (this.#ended.length >= MAX_ENDED) this.seal()
  }

  #write(): void {
    const edges = this.#ended
    if (edges.length === 0) return
    this.#ended = []
    edges.sort((a, b) => (a.ticks < b.ticks ? -1 : a.ticks > b.ticks ? 1 : 0))
    for (const edge of edges) this.#writeEdge(edge)
  }

  #writeEdge({ span, ticks, isEnd }: Edge): void {
    const properties = isEnd && this.tagsEnds ? span.propertiesAtEnd() : undefined
    if (!this.prepare(45)) return
    this.noteTime(ticks)
    this.#list(span.record)
    const view = this.view
    let at = this.cursor
    view.setUint8(at, properties === undefined ? ASYNC_SPAN_BEGIN + Number(isEnd) : ASYNC_TAGGED_SPAN_END)
    view.setFloat64(at + 1, span.record.idBits, true)
    at += 9
    if (properties !== undefined) {
      view.setFloat64(at, this.#listProperties(properties), true)
      at += 8
    }
    view.setUint32(at, span.spanId, true) // keeps the low 32 bits
    view.setUint32(at + 4, span.spanId * HIGH_WORD, true)
    view.setUint32(at + 8, span.parentSpanId, true)
    view.setUint32(at + 12, span.parentSpanId * HIGH_WORD, true)
    view.setBigInt64(at + 16, ticks, true)
    view.setUint32(at + 24, span.depth, true)
    this.cursor = at + 28
    this.eventCount++
  }

  #list(record: SpanRecord): void {
    if (record.epoch === this.epoch) return
    const strings = this.dependencies
    const target = strings.string(record.target)
    const file = strings.string(record.file)
    const name = strings.string(record.name)
    record.idBits = idBits(strings.record(SPAN_INDEX, [name, target, target, file], [record.line, LOD_MAX]))
    record.epoch = this.epoch
  }

  #listProperties(properties: PropertySet): number {
    if (properties.cpuEpoch !== this.epoch) {
      properties.cpuIdBits = idBits(
        this.dependencies.propertySet(SPAN_PROPERTY_SET_INDEX, properties.entries),
      )
      properties.cpuEpoch = this.epoch
    }
    return properties.cpuIdBits
  }
}
