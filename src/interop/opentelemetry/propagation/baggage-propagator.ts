import {
  type BaggageEntry,
  baggageEntryMetadataFromString,
  type Context,
  propagation,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api'
import { isTracingSuppressed } from './api-context.ts'

const BAGGAGE = 'baggage'
/** Limits of the W3C working draft "Baggage": members of a header, characters of one member and of all. */
const MAX_MEMBERS = 180
const MAX_MEMBER_CHARS = 4096
const MAX_CHARS = 8192

/** Carries OpenTelemetry's baggage from process to process in the header of the W3C working draft "Baggage". */
export class BaggagePropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const baggage = propagation.getBaggage(context)
    if (baggage === undefined || isTracingSuppressed(context)) return
    let header = ''
    const members = baggage.getAllEntries().map(memberOf).filter(isPresent).slice(0, MAX_MEMBERS)
    for (const member of members) {
      const longer = header === '' ? member : `${header},${member}`
      if (longer.length <= MAX_CHARS) header = longer
    }
    if (header !== '') setter.set(carrier, BAGGAGE, header)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const header: unknown = getter.get(carrier, BAGGAGE)
    const text = Array.isArray(header) ? header.join(',') : header
    if (typeof text !== 'string') return context
    const entries = new Map<string, BaggageEntry>()
    let chars = 0
    let count = 0
    for (const member of text.split(',')) {
      const entry = member.length > MAX_MEMBER_CHARS ? undefined : entryOf(member)
      if (entry === undefined) continue
      chars += member.length + (count === 0 ? 0 : 1)
      if (chars > MAX_CHARS || count === MAX_MEMBERS) break
      count++
      entries.set(entry[0], entry[1])
    }
    if (count === 0) return context
    return propagation.setBaggage(context, propagation.createBaggage(Object.fromEntries(entries)))
  }

  fields(): string[] {
    return [BAGGAGE]
  }
}

/** `key=value;properties`; `undefined` for one that is too long, or that no header can carry. */
function memberOf([key, { value, metadata }]: [string, BaggageEntry]): string | undefined {
  try {
    const pair = `${encodeURIComponent(key)}=${encodeURIComponent(value)}`
    const member = metadata === undefined ? pair : `${pair};${metadata.toString()}`
    return member.length > MAX_MEMBER_CHARS ? undefined : member
  } catch {
    return undefined // half a surrogate pair
  }
}

function entryOf(member: string): [string, BaggageEntry] | undefined {
  const end = member.indexOf(';')
  const pair = end < 0 ? member : member.slice(0, end)
  const equals = pair.indexOf('=')
  const key = decode(pair.slice(0, Math.max(equals, 0)))
  const value = decode(pair.slice(equals + 1))
  if (key === undefined || value === undefined) return undefined
  const properties = end < 0 ? '' : member.slice(end + 1)
  return [
    key,
    properties === '' ? { value } : { value, metadata: baggageEntryMetadataFromString(properties) },
  ]
}

/** `undefined` for a part that is empty or whose percent encoding is broken. */
function decode(part: string): string | undefined {
  const trimmed = part.trim()
  try {
    return trimmed === '' ? undefined : decodeURIComponent(trimmed)
  } catch {
    return undefined
  }
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined
}
