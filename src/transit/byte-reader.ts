import { formatError } from './format-error.ts'
import { decodeStrictUtf8, decodeString } from './strings.ts'

/**
 * A dependency id, any u64: a `number` up to 2^53 - 1 and a `bigint` above, so that an id has one spelling and the
 * usual small ones allocate nothing.
 */
export type DependencyId = number | bigint

const TWO_POW_32 = 0x1_0000_0000
/** High halves below this make a safe integer. */
const SAFE_HIGH = 0x20_0000

/** Spells a u64 as a {@link DependencyId}. */
export function dependencyId(value: bigint): DependencyId {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

/** Reads little-endian values one after the other from a window of a buffer, and never past the window's end. */
export class ByteReader {
  readonly bytes: Buffer
  readonly view: DataView
  /** Where the next value starts, from the start of the buffer. */
  position = 0
  #end: number

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#end = bytes.byteLength
  }

  /** First byte that is out of bounds. */
  get end(): number {
    return this.#end
  }

  get remaining(): number {
    return this.#end - this.position
  }

  /** Restricts reading to `size` bytes from the position; the window must lie inside the buffer. */
  enter(size: number): void {
    const left = this.bytes.byteLength - this.position
    if (!(Number.isInteger(size) && size >= 0 && size <= left)) {
      throw formatError('record', `it needs ${size} bytes, ${left} are left`)
    }
    this.#end = this.position + size
  }

  /** Leaves the window: continues after it, bounded by the buffer again. */
  leave(): void {
    this.position = this.#end
    this.#end = this.bytes.byteLength
  }

  /** Moves past `size` bytes and returns where they start. */
  take(size: number, what: string): number {
    const start = this.position
    if (!(size <= this.#end - start)) {
      throw formatError(what, `it needs ${size} bytes, ${this.#end - start} are left`)
    }
    this.position = start + size
    return start
  }

  readU8(what: string): number {
    return this.bytes[this.take(1, what)]!
  }

  readU32(what: string): number {
    return this.view.getUint32(this.take(4, what), true)
  }

  readI64(what: string): bigint {
    return this.view.getBigInt64(this.take(8, what), true)
  }

  readId(what: string): DependencyId {
    return readIdAt(this.view, this.take(8, what))
  }

  /** The bytes themselves, shared with the buffer. */
  readBytes(size: number, what: string): Uint8Array {
    const start = this.take(size, what)
    return this.bytes.subarray(start, start + size)
  }

  /** A length-prefixed string: codec, byte length, bytes. */
  readString(what: string): string {
    const codec = this.readU8(what)
    const size = this.readU32(what)
    const start = this.take(size, what)
    return decodeString(codec, this.bytes, start, start + size)
  }

  /** What is left of the window, as UTF-8 that must be valid. */
  readRestAsUtf8(what: string): string {
    const start = this.take(this.remaining, what)
    return decodeStrictUtf8(this.bytes, start, this.position)
  }
}

/** Reads a dependency id at an offset that is known to be in bounds. */
export function readIdAt(view: DataView, offset: number): DependencyId {
  const high = view.getUint32(offset + 4, true)
  return high < SAFE_HIGH ? high * TWO_POW_32 + view.getUint32(offset, true) : view.getBigUint64(offset, true)
}
