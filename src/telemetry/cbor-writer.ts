import { builtin } from '../model/runtime/builtins.ts'
import { ARRAY, BYTES, MAP, NEGINT, TEXT, UINT } from './cbor-major.ts'

const { isUint8Array } = builtin('node:util/types')

/** What the bodies of requests are made of. Numbers are whole, and integers have at most 64 bits. */
export type CborValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<string, CborValue>
  | { readonly [key: string]: CborValue }

const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6

const MAX_UINT64 = 2n ** 64n - 1n

/**
 * Writes one CBOR item (RFC 8949) with definite lengths, the shortest heads, and maps in the order of their members. A
 * general encoder is ten times this size, for kinds of values that the ingestion service does not take.
 *
 * @returns A buffer of its own, of exactly the item's size: what is large is copied once.
 * @throws `RangeError` for a fraction, and for an integer of more than 64 bits.
 */
export function encodeCbor(value: CborValue): Buffer {
  const bytes = Buffer.allocUnsafeSlow(sizeOf(value))
  write(bytes, 0, value)
  return bytes
}

function sizeOf(value: CborValue): number {
  if (value === null || typeof value === 'boolean') return 1
  if (typeof value === 'number' || typeof value === 'bigint') return sizeOfHead(argumentOf(value))
  if (typeof value === 'string') return sizeWithHead(Buffer.byteLength(value))
  if (isUint8Array(value)) return sizeWithHead(value.byteLength)
  if (isArray(value)) return value.reduce<number>((sum, item) => sum + sizeOf(item), sizeOfHead(value.length))
  const entries = entriesOf(value)
  return entries.reduce(
    (sum, [key, member]) => sum + sizeWithHead(Buffer.byteLength(key)) + sizeOf(member),
    sizeOfHead(entries.length),
  )
}

/** Returns the offset after the item. */
function write(bytes: Buffer, offset: number, value: CborValue): number {
  if (value === null) return bytes.writeUInt8(NULL, offset)
  if (typeof value === 'boolean') return bytes.writeUInt8(value ? TRUE : FALSE, offset)
  if (typeof value === 'number' || typeof value === 'bigint') {
    return writeHead(bytes, offset, value < 0 ? NEGINT : UINT, argumentOf(value))
  }
  if (typeof value === 'string') return writeText(bytes, offset, value)
  if (isUint8Array(value)) {
    const start = writeHead(bytes, offset, BYTES, value.byteLength)
    bytes.set(value, start)
    return start + value.byteLength
  }
  if (isArray(value)) {
    return value.reduce<number>(
      (at, item) => write(bytes, at, item),
      writeHead(bytes, offset, ARRAY, value.length),
    )
  }
  const entries = entriesOf(value)
  return entries.reduce(
    (at, [key, member]) => write(bytes, writeText(bytes, at, key), member),
    writeHead(bytes, offset, MAP, entries.length),
  )
}

function writeText(bytes: Buffer, offset: number, text: string): number {
  const start = writeHead(bytes, offset, TEXT, Buffer.byteLength(text))
  return start + bytes.write(text, start, 'utf8')
}

/** The number that stands in an integer's head: -1 is 0, -2 is 1 and so on. */
function argumentOf(value: number | bigint): number | bigint {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return value < 0 ? -1 - value : value
    throw new RangeError(`Cannot encode ${value}: expected a whole number`)
  }
  const argument = value < 0n ? -1n - value : value
  if (argument <= MAX_UINT64) return argument
  throw new RangeError(`Cannot encode ${value}: expected at most 64 bits`)
}

function sizeWithHead(byteLength: number): number {
  return sizeOfHead(byteLength) + byteLength
}

function sizeOfHead(argument: number | bigint): number {
  if (argument < 24) return 1
  if (argument <= 0xff) return 2
  if (argument <= 0xffff) return 3
  return argument <= 0xffff_ffff ? 5 : 9
}

function writeHead(bytes: Buffer, offset: number, major: number, argument: number | bigint): number {
  const kind = major << 5
  if (argument < 24) return bytes.writeUInt8(kind | Number(argument), offset)
  if (argument <= 0xff) return bytes.writeUInt8(Number(argument), bytes.writeUInt8(kind | 24, offset))
  if (argument <= 0xffff) return bytes.writeUInt16BE(Number(argument), bytes.writeUInt8(kind | 25, offset))
  if (argument <= 0xffff_ffff) {
    return bytes.writeUInt32BE(Number(argument), bytes.writeUInt8(kind | 26, offset))
  }
  return bytes.writeBigUInt64BE(BigInt(argument), bytes.writeUInt8(kind | 27, offset))
}

function entriesOf(
  value: ReadonlyMap<string, CborValue> | { readonly [key: string]: CborValue },
): (readonly [string, CborValue])[] {
  return value instanceof Map ? [...value] : Object.entries(value)
}

/** `Array.isArray` does not know arrays that are read-only. */
function isArray(value: CborValue): value is readonly CborValue[] {
  return Array.isArray(value)
}
