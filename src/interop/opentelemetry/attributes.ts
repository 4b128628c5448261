import * as api from '@opentelemetry/api'
import type { Properties } from '../../tracing/property-set.ts'

/** Attributes as they are kept until they are recorded: valid ones only, copied. */
export type KeptAttributes = Map<string, unknown>

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

/**
 * Adds the valid ones of the attributes to those that are kept. Invalid ones are told to the API's diagnostics.
 *
 * @param onlySimple - Whether objects and arrays of mixed values are invalid whatever the version, as in events.
 */
export function keepAttributes(kept: KeptAttributes, attributes: unknown, onlySimple: boolean): void {
  if (typeof attributes !== 'object' || attributes === null) return
  try {
    for (const [key, value] of Object.entries(attributes)) keepAttribute(kept, key, value, onlySimple)
  } catch {
    warn('one cannot be read') // a getter that throws
  }
}

/** {@link keepAttributes} of one. */
export function keepAttribute(kept: KeptAttributes, key: unknown, value: unknown, onlySimple: boolean): void {
  const takesAny = TAKES_ANY_VALUE && !onlySimple
  if (value === undefined || (value === null && !takesAny)) return
  if (typeof key !== 'string' || key === '') return warn('its name is not a text, or empty')
  const copy = takesAny ? copyAny(value, 0) : copySimple(value)
  if (copy === INVALID) return warn(`the value of ${key} is not valid`)
  if (kept.size >= MAX_ATTRIBUTES && !kept.has(key))
    return warn(`${key} is beyond the first ${MAX_ATTRIBUTES}`)
  kept.set(key, copy)
}

/** The valid ones of the attributes, as properties. */
export function validAttributes(attributes: unknown, onlySimple: boolean): Properties {
  const kept: KeptAttributes = new Map()
  keepAttributes(kept, attributes, onlySimple)
  return Object.fromEntries(kept)
}

/** Dropping is what OpenTelemetry's SDK does, and where it tells of it. */
function warn(problem: string): void {
  api.diag.warn(`micromegas: an attribute is dropped: ${problem}`)
}

function isPrimitive(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function copySimple(value: unknown): unknown {
  if (isPrimitive(value)) return value
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
  if (!isPlain(value)) return INVALID
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => [key, copyAny(member, depth + 1)] as const)
  return members.some(([, member]) => member === INVALID) ? INVALID : Object.fromEntries(members)
}

/** True for objects of no class, of other realms too. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
