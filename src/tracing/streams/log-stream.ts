import type { Level } from '../../model/level.ts'
import {
  type EncodedText,
  encodeText,
  LOOP_MAX_CHARS,
  writeAscii,
  writeEncoded,
  writeInt32,
  writeText,
} from '../../transit/text.ts'
import { writeTicks } from '../clock.ts'
import { MAX_MESSAGE_CHARS } from '../limits.ts'
import { truncate } from '../values/bounded-text.ts'
import type { PropertySet } from '../values/property-set.ts'
import { renderValue } from '../values/render-value.ts'
import { BLOCK_BYTES } from './block-memory.ts'
import { EventStream } from './event-stream.ts'
import { idBits } from './id-bits.ts'
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
  idBits = 0
  /** Of a text: whether it has been seen after it was remembered. */
  hasComeAgain = false

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
    view.setFloat64(start + 1, site.idBits, true)
    writeTicks(view, start + 9)
    this.cursor = start + 17
    this.eventCount++
  }

  /** `LogStringEventV2`: one or two values rendered between the template's fixed parts. */
  writeFormatted(site: LogSite, value0: unknown, value1: unknown): void {
    const start = this.cursor
    if (site.epoch === this.epoch && start + site.fixedBytes + 2 * VALUE_BYTES <= this.capacity) {
      const end = writeMessage(this.view, start + STRING_HEADER_BYTES, site.parts, value0, value1)
      if (end >= 0) return this.#finishString(start, site, end)
    }
    this.writeText(site, formatMessage(site.fixedParts, [value0, value1]))
  }

  /** `TaggedLogString`: the same with properties. */
  writeTaggedFormatted(site: LogSite, properties: PropertySet, value0: unknown, value1: unknown): void {
    const start = this.cursor
    if (
      site.epoch === this.epoch &&
      properties.logEpoch === this.epoch &&
      start + site.fixedBytes + PROPERTIES_ID_BYTES + 2 * VALUE_BYTES <= this.capacity &&
      !properties.overridesLogColumns
    ) {
      const end = writeMessage(this.view, start + TAGGED_HEADER_BYTES, site.parts, value0, value1)
      if (end >= 0) return this.#finishTagged(start, site, properties, end)
    }
    this.writeTagged(site, formatMessage(site.fixedParts, [value0, value1]), properties)
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
    view.setFloat64(start + 14, idBits(targetId), true)
    if (properties !== undefined) view.setFloat64(start + 22, properties.logIdBits, true)
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
    view.setFloat64(start + 5, site.idBits, true)
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
    view.setFloat64(start + 5, site.idBits, true)
    view.setFloat64(start + 13, properties.logIdBits, true)
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
    site.idBits = idBits(strings.record(METADATA_INDEX, [format, target, target, none], [0, site.level]))
    site.epoch = this.epoch
  }

  #listProperties(properties: PropertySet): void {
    if (properties.logEpoch === this.epoch) return
    properties.logIdBits = idBits(this.dependencies.propertySet(PROPERTY_SET_INDEX, properties.entries))
    properties.logEpoch = this.epoch
  }
}

/** Room for a value that {@link writeValue} writes: a text of as many ASCII characters, or any number. */
const VALUE_BYTES = LOOP_MAX_CHARS

/**
 * Writes one or two values between the fixed parts of their template and returns the offset after the message; -1 where a
 * value needs more than {@link writeValue} does.
 */
function writeMessage(
  view: DataView,
  offset: number,
  parts: readonly EncodedText[],
  value0: unknown,
  value1: unknown,
): number {
  let cursor = writeEncoded(view, offset, parts[0]!)
  cursor = writeValue(view, cursor, value0)
  if (cursor < 0) return -1
  cursor = writeEncoded(view, cursor, parts[1]!)
  if (parts.length === 2) return cursor
  cursor = writeValue(view, cursor, value1)
  return cursor < 0 ? -1 : writeEncoded(view, cursor, parts[2]!)
}

/** Writes a number or a short ASCII text and returns the offset after it; -1 for any other value. */
function writeValue(view: DataView, offset: number, value: unknown): number {
  if (typeof value === 'string') {
    return value.length <= VALUE_BYTES ? writeAscii(view, offset, value) : -1
  }
  if (typeof value !== 'number') return -1
  return (value | 0) === value ? writeInt32(view, offset, value) : writeAscii(view, offset, String(value))
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
