import { type EncodedText, encodeText, writeEncoded, writeInt32, writeText } from '../transit/text.ts'
import { BLOCK_BYTES } from './block-memory.ts'
import { writeTicks } from './clock.ts'
import { EventStream } from './event-stream.ts'
import type { Level } from './level.ts'
import type { PropertySet } from './property-set.ts'
import { renderValue, truncate } from './render-value.ts'
import {
  LOG_INTEROP,
  LOG_LAYOUT,
  LOG_STATIC,
  LOG_STRING,
  LOG_TAGGED,
  LOG_TAGGED_INTEROP,
  METADATA_INDEX,
  PROPERTY_SET_INDEX,
} from './stream-layouts.ts'

/** UTF-16 code units of a message; a longer one is cut and says how much is missing. */
export const MAX_MESSAGE_CHARS = 262_144

const CODEC_UTF8 = 2
/** Type index, size word, and the members before the text of a `LogStringEventV2`. */
const STRING_HEADER_BYTES = 26
const TAGGED_HEADER_BYTES = 34
const PROPERTIES_ID_BYTES = TAGGED_HEADER_BYTES - STRING_HEADER_BYTES
const INTEROP_HEADER_BYTES = 27
const TAGGED_INTEROP_HEADER_BYTES = 35

/** What the log events of one call site share; listed once in each block that has such an event. */
export class LogSite {
  readonly level: Level
  readonly target: string
  /** The message of a static event; the format string (`user {} logged in`) of a formatted one. */
  readonly format: string
  /** The template's fixed parts, and the same encoded: one more than it has values. */
  readonly fixedParts: readonly string[]
  readonly parts: readonly EncodedText[]
  /** Bytes of a `LogStringEventV2` of the site without its values, and of the last word's padding. */
  readonly fixedBytes: number
  epoch = 0
  id = 0

  constructor(level: Level, target: string, fixedParts: readonly string[]) {
    this.level = level
    this.target = target
    this.format = fixedParts.join('{}')
    this.fixedParts = fixedParts
    this.parts = fixedParts.map(encodeText)
    this.fixedBytes = this.parts.reduce((sum, { words }) => sum + words.byteLength, STRING_HEADER_BYTES)
  }
}

/** Writes log events. Every function is called with a level that has passed the filters. */
export class LogStream extends EventStream {
  constructor() {
    super('log', LOG_LAYOUT, BLOCK_BYTES)
  }

  /** `LogStaticStrEvent`: the message is the site's text. */
  writeStatic(site: LogSite): void {
    const start = this.cursor
    if (site.epoch !== this.epoch || start + 17 > this.capacity) return this.#writeStaticCold(site)
    const view = this.view
    view.setUint8(start, LOG_STATIC)
    view.setUint32(start + 1, site.id, true)
    view.setUint32(start + 5, 0, true)
    writeTicks(view, start + 9)
    this.cursor = start + 17
    this.eventCount++
  }

  /** `LogStringEventV2`: one value rendered between the template's two fixed parts. */
  writeFormatted1(site: LogSite, value: unknown): void {
    const piece = toPiece(value)
    const valueBytes = pieceBytes(piece)
    if (valueBytes > MAX_VALUE_BYTES) return this.writeText(site, formatMessage(site.fixedParts, [piece]))
    const start = this.#place(site, site.fixedBytes + valueBytes)
    if (start < 0) return
    const parts = site.parts
    const { bytes, view } = this
    let cursor = writeEncoded(view, start + STRING_HEADER_BYTES, parts[0]!)
    cursor = writePiece(bytes, view, cursor, piece)
    cursor = writeEncoded(view, cursor, parts[1]!)
    this.#finishString(start, site, cursor)
  }

  /** `LogStringEventV2`: two values rendered between the template's three fixed parts. */
  writeFormatted2(site: LogSite, value0: unknown, value1: unknown): void {
    const piece0 = toPiece(value0)
    const piece1 = toPiece(value1)
    const valueBytes = pieceBytes(piece0) + pieceBytes(piece1)
    if (valueBytes > MAX_VALUE_BYTES)
      return this.writeText(site, formatMessage(site.fixedParts, [piece0, piece1]))
    const start = this.#place(site, site.fixedBytes + valueBytes)
    if (start < 0) return
    const parts = site.parts
    const { bytes, view } = this
    let cursor = writeEncoded(view, start + STRING_HEADER_BYTES, parts[0]!)
    cursor = writePiece(bytes, view, cursor, piece0)
    cursor = writeEncoded(view, cursor, parts[1]!)
    cursor = writePiece(bytes, view, cursor, piece1)
    cursor = writeEncoded(view, cursor, parts[2]!)
    this.#finishString(start, site, cursor)
  }

  /** `LogStringEventV2`: any text. */
  writeText(site: LogSite, text: string): void {
    const size = STRING_HEADER_BYTES + text.length * 3
    const start = this.#place(site, size)
    if (start < 0) return
    const bytes = this.bytes
    const end = writeText(bytes, this.view, start + STRING_HEADER_BYTES, text)
    this.#finishString(start, site, end)
  }

  /** `TaggedLogString`; `TaggedLogInteropEvent` where a property would override the level or the target. */
  writeTagged(site: LogSite, text: string, properties: PropertySet): void {
    if (properties.overridesLogColumns) return this.writeInterop(site.level, site.target, text, properties)
    const size = TAGGED_HEADER_BYTES + text.length * 3
    if (!this.prepare(size)) return
    this.#listSite(site)
    this.#listProperties(properties)
    const start = this.cursor
    const end = writeText(this.bytes, this.view, start + TAGGED_HEADER_BYTES, text)
    this.#finishTagged(start, site, properties, end)
  }

  /** The same of a site's own text. */
  writeTaggedStatic(site: LogSite, properties: PropertySet): void {
    const start = this.cursor
    if (
      site.epoch !== this.epoch ||
      properties.logEpoch !== this.epoch ||
      start + site.fixedBytes + PROPERTIES_ID_BYTES > this.capacity ||
      properties.overridesLogColumns
    ) {
      return this.writeTagged(site, site.format, properties)
    }
    const end = writeEncoded(this.view, start + TAGGED_HEADER_BYTES, site.parts[0]!)
    this.#finishTagged(start, site, properties, end)
  }

  /** `LogStringInteropEventV3` or `TaggedLogInteropEvent`: level and target belong to the event, not to a call site. */
  writeInterop(level: Level, target: string, text: string, properties: PropertySet | undefined): void {
    const headerBytes = properties === undefined ? INTEROP_HEADER_BYTES : TAGGED_INTEROP_HEADER_BYTES
    if (!this.prepare(headerBytes + text.length * 3)) return
    const targetId = this.dependencies.string(target)
    if (properties !== undefined) this.#listProperties(properties)
    const start = this.cursor
    const { bytes, view } = this
    const textStart = start + headerBytes
    const end = writeText(bytes, view, textStart, text)
    view.setUint8(start, properties === undefined ? LOG_INTEROP : LOG_TAGGED_INTEROP)
    view.setUint32(start + 1, end - start - 5, true)
    writeTicks(view, start + 5)
    view.setUint8(start + 13, level)
    setId(view, start + 14, targetId)
    if (properties !== undefined) setId(view, start + 22, properties.logId)
    view.setUint8(textStart - 5, CODEC_UTF8)
    view.setUint32(textStart - 4, end - textStart, true)
    this.cursor = end
    this.eventCount++
  }

  #writeStaticCold(site: LogSite): void {
    if (this.#place(site, 17) >= 0) this.writeStatic(site)
  }

  #finishString(start: number, site: LogSite, end: number): void {
    const view = this.view
    view.setUint8(start, LOG_STRING)
    view.setUint32(start + 1, end - start - 5, true)
    view.setUint32(start + 5, site.id, true)
    view.setUint32(start + 9, 0, true)
    writeTicks(view, start + 13)
    view.setUint8(start + 21, CODEC_UTF8)
    view.setUint32(start + 22, end - start - STRING_HEADER_BYTES, true)
    this.cursor = end
    this.eventCount++
  }

  #finishTagged(start: number, site: LogSite, properties: PropertySet, end: number): void {
    const view = this.view
    view.setUint8(start, LOG_TAGGED)
    view.setUint32(start + 1, end - start - 5, true)
    setId(view, start + 5, site.id)
    setId(view, start + 13, properties.logId)
    writeTicks(view, start + 21)
    view.setUint8(start + 29, CODEC_UTF8)
    view.setUint32(start + 30, end - start - TAGGED_HEADER_BYTES, true)
    this.cursor = end
    this.eventCount++
  }

  /** The offset at which an event of the site may be written, the site listed in that block; -1 when it may not. */
  #place(site: LogSite, size: number): number {
    if (site.epoch === this.epoch && this.cursor + size <= this.capacity) return this.cursor
    if (!this.prepare(size)) return -1
    this.#listSite(site)
    return this.cursor
  }

  #listSite(site: LogSite): void {
    if (site.epoch === this.epoch) return
    const strings = this.dependencies
    const format = strings.string(site.format)
    const target = strings.string(site.target)
    const none = strings.string('')
    site.id = strings.record(METADATA_INDEX, [format, target, target, none], [0, site.level])
    site.epoch = this.epoch
  }

  #listProperties(properties: PropertySet): void {
    if (properties.logEpoch === this.epoch) return
    properties.logId = this.dependencies.propertySet(PROPERTY_SET_INDEX, properties.entries)
    properties.logEpoch = this.epoch
  }
}

/** Values that may take more bytes are put together as one text first, which is then cut to the limit of a message. */
const MAX_VALUE_BYTES = MAX_MESSAGE_CHARS / 2
/** The longest decimal text of a number: `-1.2345678901234567e-308`. */
const MAX_NUMBER_CHARS = 24

function toPiece(value: unknown): string | number {
  if (typeof value === 'number' || typeof value === 'string') return value
  return renderValue(value, MAX_MESSAGE_CHARS)
}

function pieceBytes(piece: string | number): number {
  return typeof piece === 'number' ? MAX_NUMBER_CHARS : piece.length * 3
}

function writePiece(bytes: Buffer, view: DataView, offset: number, piece: string | number): number {
  if (typeof piece === 'string') return writeText(bytes, view, offset, piece)
  if ((piece | 0) === piece) return writeInt32(view, offset, piece)
  return writeText(bytes, view, offset, String(piece))
}

function setId(view: DataView, offset: number, id: number): void {
  view.setUint32(offset, id, true)
  view.setUint32(offset + 4, 0, true) // ids count from 1 in every block: they fit 32 bits
}

/** Puts rendered values between a template's fixed parts, up to the limit of a message. */
export function formatMessage(fixedParts: readonly string[], values: readonly unknown[]): string {
  let text = fixedParts[0] ?? ''
  for (let i = 1; i < fixedParts.length && text.length <= MAX_MESSAGE_CHARS; i++) {
    const value = values[i - 1]
    text += (typeof value === 'string' ? value : renderValue(value, MAX_MESSAGE_CHARS)) + fixedParts[i]!
  }
  return truncate(text, MAX_MESSAGE_CHARS)
}
