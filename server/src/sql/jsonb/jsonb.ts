import { formatJson, isList, isObject, type Json, JsonNumber, parseJson, sortedMap } from './json-value.ts'

/**
 * JSONB as the reference stores it (crate `jsonb`, version 0.5): a header with a count, one word for each entry, then the
 * values. Words are big-endian.
 */
const ARRAY = 0x80000000
const OBJECT = 0x40000000
const SCALAR = 0x20000000
const COUNT_MASK = 0x1fffffff
const NULL_ENTRY = 0x00000000
const STRING_ENTRY = 0x10000000
const NUMBER_ENTRY = 0x20000000
const FALSE_ENTRY = 0x30000000
const TRUE_ENTRY = 0x40000000
const CONTAINER_ENTRY = 0x50000000
const ENTRY_MASK = 0x70000000
const LENGTH_MASK = 0x0fffffff

/** JSON text as JSONB; what is no JSON becomes null. */
export function encodeJsonb(text: string): Uint8Array {
  return encode(parseJson(text) ?? null)
}

function encode(value: Json): Uint8Array {
  if (isList(value)) return container(ARRAY, value.length, value)
  if (isObject(value)) {
    const keys = [...value.keys()].map((key): Json => key)
    return container(OBJECT, value.size, [...keys, ...value.values()])
  }
  return container(SCALAR, 0, [value])
}

function container(kind: number, count: number, items: readonly Json[]): Uint8Array {
  const words = Buffer.alloc(4 + items.length * 4)
  words.writeUInt32BE((kind | count) >>> 0, 0)
  const values = items.map((item, i) => {
    const [entry, bytes] = entryOf(item)
    words.writeUInt32BE((entry | bytes.length) >>> 0, 4 + i * 4)
    return bytes
  })
  return Buffer.concat([words, ...values])
}

const NOTHING = new Uint8Array(0)

function entryOf(value: Json): readonly [entry: number, bytes: Uint8Array] {
  if (value === null) return [NULL_ENTRY, NOTHING]
  if (value === true) return [TRUE_ENTRY, NOTHING]
  if (value === false) return [FALSE_ENTRY, NOTHING]
  if (typeof value === 'string') return [STRING_ENTRY, Buffer.from(value)]
  if (value instanceof JsonNumber) return [NUMBER_ENTRY, numberBytes(value)]
  return [CONTAINER_ENTRY, encode(value)]
}

const U64_MAX = 2n ** 64n - 1n
const I64_MIN = -(2n ** 63n)

function numberBytes(number: JsonNumber): Uint8Array {
  if (number.isInteger) {
    const value = BigInt(number.text)
    if (value === 0n) return Uint8Array.of(0x00)
    if (value > 0n && value <= U64_MAX) {
      return tagged(0x50, value, value < 0x100n ? 1 : value < 0x10000n ? 2 : value < 0x100000000n ? 4 : 8)
    }
    if (value < 0n && value >= I64_MIN) {
      return tagged(0x40, value, value >= -0x80n ? 1 : value >= -0x8000n ? 2 : value >= -0x80000000n ? 4 : 8)
    }
  }
  const decimal = decimalBytes(number.text)
  if (decimal !== undefined) return decimal
  const bytes = Buffer.alloc(9)
  bytes[0] = 0x60
  bytes.writeDoubleBE(Number(number.text), 1)
  return bytes
}

function tagged(tag: number, value: bigint, width: number): Uint8Array {
  const bytes = Buffer.alloc(9)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 1)
  return Buffer.concat([Uint8Array.of(tag), bytes.subarray(9 - width)])
}

/** Fractions without an exponent keep their digits: up to 18 in 64 bits, up to 38 in 128. */
function decimalBytes(text: string): Uint8Array | undefined {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (sign === undefined) return undefined
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits.length > 38) return undefined
  const value = BigInt(`${sign}${whole}${fraction}`)
  const width = digits.length <= 18 ? 8 : 16
  const bytes = Buffer.alloc(16)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value >> 64n), 0)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 8)
  return Buffer.concat([Uint8Array.of(0x70), bytes.subarray(16 - width), Uint8Array.of(fraction.length)])
}

/** JSONB as JSON text; `undefined` for bytes that are none. */
export function decodeJsonb(bytes: Uint8Array): string | undefined {
  try {
    return formatJson(decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0))
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined
    throw error
  }
}

const MAX_DEPTH = 512

function decode(bytes: Buffer, depth: number): Json {
  if (depth > MAX_DEPTH) throw new RangeError('nested too deep')
  const header = bytes.readUInt32BE(0)
  const count = header & COUNT_MASK
  if (header & SCALAR && !(header & (ARRAY | OBJECT))) return entries(bytes, 1, depth)[0]!
  if ((header & ARRAY) !== 0) return entries(bytes, count, depth)
  const all = entries(bytes, count * 2, depth)
  return sortedMap(all.slice(0, count).map((key, i) => [String(key), all[count + i]!] as const))
}

function entries(bytes: Buffer, count: number, depth: number): Json[] {
  let offset = 4 + count * 4
  if (offset > bytes.length) throw new RangeError('too short')
  return Array.from({ length: count }, (_, i) => {
    const word = bytes.readUInt32BE(4 + i * 4)
    const length = word & LENGTH_MASK
    const value = bytes.subarray(offset, offset + length)
    offset += length
    switch (word & ENTRY_MASK) {
      case STRING_ENTRY:
        return value.toString()
      case NUMBER_ENTRY:
        return readNumber(value)
      case TRUE_ENTRY:
        return true
      case FALSE_ENTRY:
        return false
      case CONTAINER_ENTRY:
        return decode(value, depth + 1)
      default:
        return null
    }
  })
}

function readNumber(bytes: Buffer): JsonNumber {
  const width = bytes.length - 1
  switch (bytes[0]) {
    case 0x40:
      return new JsonNumber(`${width === 8 ? bytes.readBigInt64BE(1) : bytes.readIntBE(1, width)}`)
    case 0x50:
      return new JsonNumber(`${width === 8 ? bytes.readBigUInt64BE(1) : bytes.readUIntBE(1, width)}`)
    case 0x60:
      return new JsonNumber(`${bytes.readDoubleBE(1)}`)
    case 0x70:
      return readDecimal(bytes)
    default:
      return new JsonNumber('0')
  }
}

function readDecimal(bytes: Buffer): JsonNumber {
  const scale = bytes[bytes.length - 1]!
  let value = BigInt.asIntN(8, BigInt(bytes[1]!))
  for (let i = 2; i < bytes.length - 1; i++) value = value * 256n + BigInt(bytes[i]!)
  const digits = `${value < 0n ? -value : value}`.padStart(scale + 1, '0')
  const sign = value < 0n ? '-' : ''
  return new JsonNumber(
    scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`,
  )
}
