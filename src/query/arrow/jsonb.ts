import { corrupt } from './ipc-message.ts'

/**
 * What a JSONB value decodes to: JSON, with `bigint` for whole numbers beyond ±2⁵³ and bytes and numbers that JSON does not
 * have (`NaN`, infinities).
 */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | JsonValue[]
  | { [key: string]: JsonValue }

const [NULL, STRING, NUMBER, FALSE, TRUE, CONTAINER, EXTENSION] = [0, 1, 2, 3, 4, 5, 6]
const [ARRAY_HEADER, OBJECT_HEADER, SCALAR_HEADER] = [0x8000_0000, 0x4000_0000, 0x2000_0000]
/** Far more than anybody nests, and far less than the stack holds. */
const MAX_DEPTH = 500
const text = new TextDecoder()

/**
 * Decodes JSONB, the binary JSON of Micromegas servers (the layout of the Rust crate `jsonb`, 0.5): big-endian; a header
 * with the kind and the count, one entry a value with its type and length, then the values.
 *
 * @returns Objects and arrays of their own; nothing points into `bytes`. Empty bytes are `null`, as in SQL there.
 * @throws {@link QueryError} `DATA_LOSS` when the bytes are no JSONB.
 */
export function decodeJsonb(bytes: Uint8Array): JsonValue {
  if (bytes.length === 0) return null
  return new Decoder(bytes).container(0, bytes.length, 0)
}

class Decoder {
  readonly #bytes: Uint8Array
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  container(start: number, end: number, depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw corrupt('JSONB is nested too deeply')
    const header = this.#word(start, end)
    const kind = (header & 0xe000_0000) >>> 0
    const count = header & 0x1fff_ffff
    const entries = start + 4
    if (kind === SCALAR_HEADER) return this.#values(entries, 1, entries + 4, end, depth)[0]!
    if (kind === ARRAY_HEADER) return this.#values(entries, count, entries + 4 * count, end, depth)
    if (kind !== OBJECT_HEADER) throw corrupt('JSONB begins with an unknown header')
    const keys = this.#values(entries, count, entries + 8 * count, end, depth)
    const keyBytes = this.#lengths(entries, count, end)
    const values = this.#values(entries + 4 * count, count, entries + 8 * count + keyBytes, end, depth)
    const object: { [key: string]: JsonValue } = {}
    for (const [i, key] of keys.entries()) {
      if (typeof key !== 'string') throw corrupt('JSONB has a key that is not a string')
      if (key === '__proto__') {
        Object.defineProperty(object, key, {
          value: values[i],
          enumerable: true,
          configurable: true,
          writable: true,
        })
      } else object[key] = values[i]!
    }
    return object
  }

  #lengths(entries: number, count: number, end: number): number {
    let sum = 0
    for (let i = 0; i < count; i++) sum += this.#word(entries + 4 * i, end) & 0x0fff_ffff
    return sum
  }

  #values(entries: number, count: number, payload: number, end: number, depth: number): JsonValue[] {
    const values: JsonValue[] = []
    let offset = payload
    for (let i = 0; i < count; i++) {
      const entry = this.#word(entries + 4 * i, end)
      const length = entry & 0x0fff_ffff
      // An entry with this bit holds an offset instead of a length; the format reserves it and no writer sets it.
      if (entry >= 0x8000_0000) throw corrupt('JSONB has an entry of an unknown form')
      if (offset + length > end) throw corrupt('JSONB is cut off')
      values.push(this.#value(entry >>> 28, offset, offset + length, depth))
      offset += length
    }
    return values
  }

  #value(type: number, start: number, end: number, depth: number): JsonValue {
    switch (type) {
      case NULL:
        return null
      case TRUE:
        return true
      case FALSE:
        return false
      case STRING:
        return text.decode(this.#bytes.subarray(start, end))
      case NUMBER:
        return this.#number(start, end)
      case CONTAINER:
        return this.container(start, end, depth + 1)
      case EXTENSION:
        if (end > start && this.#bytes[start] === 0)
          return Uint8Array.from(this.#bytes.subarray(start + 1, end)) // a Buffer.slice would share
        throw corrupt('JSONB has a value of an extension type')
      default:
        throw corrupt(`JSONB has a value of an unknown type (${type})`)
    }
  }

  #number(start: number, end: number): number | bigint {
    const size = end - start - 1
    const tag = size < 0 ? -1 : this.#bytes[start]
    if (size === 0) {
      if (tag === 0x00) return 0
      if (tag === 0x10) return Number.NaN
      if (tag === 0x20) return Number.POSITIVE_INFINITY
      if (tag === 0x30) return Number.NEGATIVE_INFINITY
    }
    const whole = size === 1 || size === 2 || size === 4 || size === 8
    if (tag === 0x40 && whole) return shortest(this.#integer(start + 1, size, true))
    if (tag === 0x50 && whole) return shortest(this.#integer(start + 1, size, false))
    if (tag === 0x60 && size === 8) return this.#view.getFloat64(start + 1)
    // The value, then (in an older form) its precision, then its scale.
    const width = size < 16 ? 8 : size < 32 ? 16 : 32
    const extra = size - width
    if (tag === 0x70 && (extra === 1 || (extra === 2 && width > 8))) {
      return decimal(this.#integer(start + 1, width, true), this.#bytes[end - 1]!)
    }
    throw corrupt('JSONB has a number of an unknown form')
  }

  #integer(start: number, size: number, signed: boolean): bigint {
    let value = 0n
    for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(this.#bytes[start + i]!)
    return signed ? BigInt.asIntN(size * 8, value) : value
  }

  #word(offset: number, end: number): number {
    if (offset + 4 > end) throw corrupt('JSONB is cut off')
    return this.#view.getUint32(offset)
  }
}

function shortest(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** As `JSON.parse` would read its digits: the nearest number; a whole one is exact. */
function decimal(value: bigint, scale: number): number | bigint {
  return scale === 0 ? shortest(value) : Number(`${value}e-${scale}`)
}
