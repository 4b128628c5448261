import * as api from '@opentelemetry/api'
import { isPlainObject } from '../../model/kinds.ts'
import type { Properties } from '../../tracing/values/property-set.ts'

/** Attributes of a span, an event or a link, as many as OpenTelemetry's SDK keeps. */
const MAX_ATTRIBUTES = 128
/** Objects within objects; deeper ones are invalid. */
const MAX_DEPTH = 16

/**
 * Which values are valid is OpenTelemetry's to say, and what its SDK takes depends on the version: objects and arrays of
 * mixed values from SDK 3 on, which is the one for version 1.10 of the API. That version is known by its `logs`.
 */
const TAKES_ANY_VALUE = 'logs' in api

const INVALID = Symbol('invalid')

/** The valid ones of the attributes that a span, an event or a link was given, copied. Invalid ones are told of. */
export class KeptAttributes {
  private readonly values: Record<string, unknown> = {}
  private readonly takesAny: boolean
  /** How many there are at most; exact from {@link MAX_ATTRIBUTES} on. */
  private count = 0

  /** @param onlySimple - Whether objects and arrays of mixed values are invalid whatever the version, as in events. */
  constructor(onlySimple: boolean) {
    this.takesAny = TAKES_ANY_VALUE && !onlySimple
  }

  get properties(): Properties {
    return this.values
  }

  setAll(attributes: unknown): void {
    if (typeof attributes !== 'object' || attributes === null) return
    try {
      for (const key of Object.keys(attributes)) this.set(key, (attributes as Record<string, unknown>)[key])
    } catch {
      warn('one cannot be read') // a getter that throws
    }
  }

  set(key: unknown, value: unknown): void {
    if (value === undefined || (value === null && !this.takesAny)) return
    if (typeof key !== 'string' || key === '') return warn('its name is not a text, or empty')
    const copy = isPrimitive(value) ? value : this.takesAny ? copyAny(value, 0) : copySimple(value)
    if (copy === INVALID) return warn(`the value of ${key} is not valid`)
    if (!this.hasRoomFor(key)) return warn(`${key} is beyond the first ${MAX_ATTRIBUTES}`)
    if (key === '__proto__') define(this.values, key, copy)
    else this.values[key] = copy
  }

  /** Whether a key is new is asked for only when that matters: it costs as much as all the rest. */
  private hasRoomFor(key: string): boolean {
    if (this.count < MAX_ATTRIBUTES) {
      this.count++
      return true
    }
    this.count = Object.keys(this.values).length
    if (this.count < MAX_ATTRIBUTES) this.count++
    else return Object.hasOwn(this.values, key)
    return true
  }
}

/** The valid ones of the attributes, as properties. */
export function validAttributes(attributes: unknown, onlySimple: boolean): Properties {
  const kept = new KeptAttributes(onlySimple)
  kept.setAll(attributes)
  return kept.properties
}

/** Dropping is what OpenTelemetry's SDK does, and where it tells of it. */
function warn(problem: string): void {
  api.diag.warn(`micromegas: an attribute is dropped: ${problem}`)
}

function isPrimitive(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** Assigning to this name would set the object's prototype. */
function define(values: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(values, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Arrays of one kind of value. */
function copySimple(value: unknown): unknown {
  if (!Array.isArray(value)) return INVALID
  const first: unknown = value.find((item) => item !== null && item !== undefined)
  if (first !== undefined && !isPrimitive(first)) return INVALID
  const isUniform = value.every((item) => item === null || item === undefined || typeof item === typeof first)
  return isUniform ? value.slice() : INVALID
}

/** Plain objects, arrays, bytes, `null`. A circle ends at the depth allowed. */
function copyAny(value: unknown, depth: number): unknown {
  if (isPrimitive(value) || value === null) return value
  if (typeof value !== 'object' || depth > MAX_DEPTH) return INVALID
  if (value instanceof Uint8Array) return value.slice()
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => (item === undefined ? item : copyAny(item, depth + 1)))
    return items.includes(INVALID) ? INVALID : items
  }
  if (!isPlainObject(value)) return INVALID
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => [key, copyAny(member, depth + 1)] as const)
  return members.some(([, member]) => member === INVALID) ? INVALID : Object.fromEntries(members)
}
