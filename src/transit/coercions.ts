import { builtin } from '../model/runtime/builtins.ts'
import { formatError } from './format-error.ts'
import type { PropertyList, TransitObject, TransitValue } from './value.ts'

const { isUint8Array } = builtin('node:util/types')

/**
 * Reads one member as the type a view wants. What is accepted is what the reference's analytics accepts: u32 also from
 * u8, and u64 and i64 from each other by their bits. Anything else throws `ERR_TELEMETRY_FORMAT`, which loses the block.
 */
function mismatch(object: TransitObject, name: string, wanted: string): Error {
  const value = object.get(name)
  const found = value === undefined ? 'there is none' : `it is ${object.kind(name) ?? describe(value)}`
  return formatError(`member ${name} of ${object.typeName} as ${wanted}`, found)
}

function describe(value: TransitValue): string {
  if (typeof value === 'string') return 'a string'
  if (isPropertyList(value)) return 'a property set'
  if (isUint8Array(value)) return 'bytes'
  return typeof value === 'object' ? `a ${value.typeName}` : `a ${typeof value}`
}

/** `Array.isArray` does not narrow readonly arrays. */
export function isPropertyList(value: TransitValue): value is PropertyList {
  return Array.isArray(value)
}

/** True for records, which nested members and resolved references may be. */
export function isTransitObject(value: TransitValue): value is TransitObject {
  return typeof value === 'object' && !isPropertyList(value) && !isUint8Array(value)
}

export function memberAsU32(object: TransitObject, name: string): number {
  const kind = object.kind(name)
  if (kind !== 'u32' && kind !== 'u8') throw mismatch(object, name, 'u32')
  return object.get(name) as number
}

export function memberAsU64(object: TransitObject, name: string): bigint {
  const kind = object.kind(name)
  if (kind === 'u64') return object.get(name) as bigint
  if (kind === 'i64') return BigInt.asUintN(64, object.get(name) as bigint)
  throw mismatch(object, name, 'u64')
}

export function memberAsI64(object: TransitObject, name: string): bigint {
  const kind = object.kind(name)
  if (kind === 'i64') return object.get(name) as bigint
  if (kind === 'u64') return BigInt.asIntN(64, object.get(name) as bigint)
  throw mismatch(object, name, 'i64')
}

export function memberAsF64(object: TransitObject, name: string): number {
  if (object.kind(name) !== 'f64') throw mismatch(object, name, 'f64')
  return object.get(name) as number
}

export function memberAsString(object: TransitObject, name: string): string {
  const value = object.get(name)
  if (typeof value !== 'string') throw mismatch(object, name, 'a string')
  return value
}

export function memberAsBytes(object: TransitObject, name: string): Uint8Array {
  const value = object.get(name)
  if (!isUint8Array(value)) throw mismatch(object, name, 'bytes')
  return value
}

export function memberAsObject(object: TransitObject, name: string): TransitObject {
  const value = object.get(name)
  if (value === undefined || !isTransitObject(value)) throw mismatch(object, name, 'a record')
  return value
}

export function memberAsProperties(object: TransitObject, name: string): PropertyList {
  const value = object.get(name)
  if (value === undefined || !isPropertyList(value)) throw mismatch(object, name, 'a property set')
  return value
}
