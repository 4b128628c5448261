import { builtin } from '../../model/runtime/builtins.ts'
import { formatError } from '../../transit/format-error.ts'
import { decodeUtf8 } from '../../transit/strings.ts'
import { ARRAY, BYTES, MAP, NEGINT, SIMPLE, TAG, TEXT, UINT } from '../cbor-major.ts'

const { isUtf8 } = builtin('node:buffer')

const MAJOR_NAMES = [
  'an integer',
  'an integer',
  'bytes',
  'text',
  'an array',
  'a map',
  'a tag',
  'a simple value',
]

const FALSE = 20
const TRUE = 21
const NULL = 22
const UNDEFINED = 23
/** Additional information of indefinite lengths and of the break that ends them. */
const INDEFINITE = 31

const POSITIVE_BIGNUM = 2
const NEGATIVE_BIGNUM = 3
const MAX_BIGNUM_BYTES = 16
/** The reference reads map keys and dates into a buffer of this size and refuses longer ones. */
const MAX_KEY_BYTES = 4096
/** Nesting the reference allows. */
const MAX_DEPTH = 256

/**
 * Reads one CBOR item (RFC 8949) from untrusted bytes, asked for piece by piece by someone who knows what must come.
 *
 * Accepts and refuses what the reference's decoder does (ciborium 0.2 through serde): tags are skipped, integers may be
 * bignums but never floats, text must be valid UTF-8, lengths may be indefinite. Those distinctions are why this is no
 * general decoder: one that returns JavaScript values has lost them. Every refusal is `ERR_TELEMETRY_FORMAT`; no length
 * in the input is believed before as many bytes are there.
 */
export class CborReader {
  readonly #bytes: Buffer
  readonly #view: DataView
  #position = 0
  #depth = 0
  /** Of the item head read last. */
  #info = 0
  #argument: number | bigint = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /**
   * Reads a map with text keys as a struct: every field must be there, once; other keys are passed over.
   *
   * @param fields - By key, what to do when the reader stands at the key's value.
   */
  readStruct(what: string, fields: Readonly<Record<string, () => void>>): void {
    const seen = new Set<string>()
    this.#readEntries(what, () => {
      const key = this.readShortText(`key of ${what}`)
      if (!Object.hasOwn(fields, key)) {
        this.#skip()
        return
      }
      if (seen.has(key)) throw formatError(what, `${key} is there twice`)
      seen.add(key)
      fields[key]!()
    })
    const missing = Object.keys(fields).filter((key) => !seen.has(key))
    if (missing.length > 0) throw formatError(what, `${missing.join(', ')} missing`)
  }

  /** Reads a map from text to text; of a repeated key the last value counts. */
  readTextMap(what: string): Record<string, string> {
    const entries = new Map<string, string>()
    this.#readEntries(what, () => {
      const key = this.readText(`key of ${what}`)
      entries.set(key, this.readText(what))
    })
    return Object.fromEntries(entries)
  }

  readArray<T>(what: string, readElement: () => T): T[] {
    const elements: T[] = []
    this.#expect(ARRAY, what, 'an array')
    this.#readItems(what, 1, () => elements.push(readElement()))
    return elements
  }

  /** Reads text of any length, definite or in chunks. */
  readText(what: string): string {
    this.#expect(TEXT, what, 'text')
    if (this.#info !== INDEFINITE) return this.#takeText(what)
    const chunks: string[] = []
    this.#readChunks(TEXT, what, () => chunks.push(this.#takeText(what)))
    return chunks.join('')
  }

  /** Reads text of definite length, at most 4096 bytes. */
  readShortText(what: string): string {
    this.#expect(TEXT, what, 'text')
    if (this.#info === INDEFINITE) throw formatError(what, 'its length is indefinite')
    if (this.#argument > MAX_KEY_BYTES) throw formatError(what, `it is longer than ${MAX_KEY_BYTES} bytes`)
    return this.#takeText(what)
  }

  /** Reads text, `null` or `undefined`; a tag before the latter two is refused. */
  readOptionalText(what: string): string | undefined {
    const first = this.#bytes[this.#position]
    if (first === ((SIMPLE << 5) | NULL) || first === ((SIMPLE << 5) | UNDEFINED)) {
      this.#position++
      return undefined
    }
    return this.readText(what)
  }

  readBoolean(what: string): boolean {
    this.#expect(SIMPLE, what, 'a boolean')
    if (this.#info !== TRUE && this.#info !== FALSE) throw formatError(what, 'it is no boolean')
    return this.#info === TRUE
  }

  /** Reads an integer of any encoding, bignums included, from `min` to `max`. */
  readInteger(what: string, min: bigint, max: bigint): bigint {
    const value = this.#takeInteger(what)
    if (value < min || value > max) throw formatError(what, `${value} is not from ${min} to ${max}`)
    return value
  }

  /**
   * Reads a byte string, or the array of integers that old producers sent instead. A byte string of definite length
   * shares memory with the input.
   */
  readBytes(what: string): Uint8Array {
    const major = this.#readUntagged(what)
    if (major === ARRAY) return this.#readIntegersAsBytes(what)
    if (major !== BYTES) throw formatError(what, `it must be bytes, it is ${MAJOR_NAMES[major]}`)
    if (this.#info !== INDEFINITE) return this.#takeBytes(what)
    const chunks: Uint8Array[] = []
    this.#readChunks(BYTES, what, () => chunks.push(this.#takeBytes(what)))
    return Buffer.concat(chunks)
  }

  #readIntegersAsBytes(what: string): Uint8Array {
    const left = this.#bytes.length - this.#position
    // every integer takes at least a byte, so the rest of the input bounds their number
    const isCounted = this.#info !== INDEFINITE && this.#argument <= left
    const bytes = new Uint8Array(isCounted ? Number(this.#argument) : left)
    let length = 0
    this.#readItems(what, 1, () => {
      const head = this.#bytes[this.#position]!
      // the usual one-byte integer, without a detour through bigint
      if (head < 24) this.#position++
      bytes[length++] = head < 24 ? head : Number(this.readInteger(what, 0n, 255n))
    })
    return bytes.subarray(0, length)
  }

  #readEntries(what: string, readEntry: () => void): void {
    this.#expect(MAP, what, 'a map')
    this.#readItems(what, 2, readEntry)
  }

  /** Reads the items of the array or map whose head was read last. */
  #readItems(what: string, minBytes: number, readItem: () => void): void {
    if (++this.#depth > MAX_DEPTH) throw formatError(what, `it is nested more than ${MAX_DEPTH} deep`)
    if (this.#info === INDEFINITE) {
      while (!this.#takeBreak(what)) readItem()
    } else {
      const count = this.#argument
      const left = this.#bytes.length - this.#position
      if (count > left / minBytes) throw formatError(what, `it claims ${count} items in ${left} bytes`)
      for (let i = 0; i < count; i++) readItem()
    }
    this.#depth--
  }

  /** Reads the chunks of a string of indefinite length: definite strings of the same type. */
  #readChunks(major: number, what: string, readChunk: () => void): void {
    while (!this.#takeBreak(what)) {
      if (this.#readHead(what) !== major || this.#info === INDEFINITE) {
        throw formatError(what, 'a chunk of it is no definite string of its type')
      }
      readChunk()
    }
  }

  #takeBreak(what: string): boolean {
    if (this.#position >= this.#bytes.length) throw formatError(what, 'the input ends inside it')
    if (this.#bytes[this.#position] !== ((SIMPLE << 5) | INDEFINITE)) return false
    this.#position++
    return true
  }

  #takeText(what: string): string {
    const start = this.#take(this.#argument, what)
    // a view: isUtf8 takes no range
    if (!isUtf8(this.#bytes.subarray(start, this.#position))) throw formatError(what, 'it is not valid UTF-8')
    return decodeUtf8(this.#bytes, start, this.#position)
  }

  #takeBytes(what: string): Uint8Array {
    const start = this.#take(this.#argument, what)
    return this.#bytes.subarray(start, this.#position)
  }

  #takeInteger(what: string): bigint {
    for (;;) {
      const major = this.#readHead(what)
      if (major === UINT) return BigInt(this.#argument)
      if (major === NEGINT) return -1n - BigInt(this.#argument)
      if (major !== TAG) throw formatError(what, `it must be an integer, it is ${this.#describe(major)}`)
      if (this.#argument === POSITIVE_BIGNUM) return this.#takeBignum(what)
      if (this.#argument === NEGATIVE_BIGNUM) return -1n - this.#takeBignum(what)
    }
  }

  #takeBignum(what: string): bigint {
    if (this.#readHead(what) !== BYTES) throw formatError(what, 'it is a bignum without bytes')
    let value = 0n
    let significant = 0
    const append = (bytes: Uint8Array): void => {
      for (const byte of bytes) {
        if (significant === 0 && byte === 0) continue
        if (++significant > MAX_BIGNUM_BYTES) throw formatError(what, 'it is a bignum of more than 16 bytes')
        value = (value << 8n) | BigInt(byte)
      }
    }
    if (this.#info !== INDEFINITE) append(this.#takeBytes(what))
    else this.#readChunks(BYTES, what, () => append(this.#takeBytes(what)))
    return value
  }

  /** Passes over one item of any kind. */
  #skip(): void {
    const what = 'unknown field'
    const major = this.#readHead(what)
    switch (major) {
      case BYTES:
        if (this.#info === INDEFINITE) this.#readChunks(BYTES, what, () => this.#takeBytes(what))
        else this.#takeBytes(what)
        return
      case TEXT:
        if (this.#info === INDEFINITE) this.#readChunks(TEXT, what, () => this.#takeText(what))
        else this.#takeText(what)
        return
      case ARRAY:
        this.#readItems(what, 1, () => this.#skip())
        return
      case MAP:
        this.#readItems(what, 2, () => {
          this.#skip()
          this.#skip()
        })
        return
      case TAG:
        if (++this.#depth > MAX_DEPTH) throw formatError(what, `it is nested more than ${MAX_DEPTH} deep`)
        this.#skip()
        this.#depth--
        return
      case SIMPLE: {
        const isFloat = this.#info >= 25 && this.#info <= 27
        const isKnown = this.#info >= FALSE && this.#info <= UNDEFINED
        if (!isFloat && !isKnown) throw formatError(what, `simple value ${this.#argument} is unknown`)
      }
    }
  }

  /** Reads the head of an item of one type, past any tags. */
  #expect(major: number, what: string, wanted: string): void {
    const found = this.#readUntagged(what)
    if (found !== major) throw formatError(what, `it must be ${wanted}, it is ${this.#describe(found)}`)
  }

  #readUntagged(what: string): number {
    let major = this.#readHead(what)
    while (major === TAG) major = this.#readHead(what)
    return major
  }

  #describe(major: number): string {
    if (major !== SIMPLE) return MAJOR_NAMES[major]!
    if (this.#info >= 25 && this.#info <= 27) return 'a float'
    return this.#info === NULL ? 'null' : MAJOR_NAMES[SIMPLE]!
  }

  /** Reads major type, additional information and argument. */
  #readHead(what: string): number {
    const head = this.#bytes[this.#take(1, what)]!
    const major = head >> 5
    this.#info = head & 31
    switch (this.#info) {
      case 24:
        this.#argument = this.#view.getUint8(this.#take(1, what))
        break
      case 25:
        this.#argument = this.#view.getUint16(this.#take(2, what))
        break
      case 26:
        this.#argument = this.#view.getUint32(this.#take(4, what))
        break
      case 27:
        this.#argument = this.#view.getBigUint64(this.#take(8, what))
        break
      case 28:
      case 29:
      case 30:
        throw formatError(what, `byte ${head} starts no CBOR item`)
      case INDEFINITE:
        if (major === UINT || major === NEGINT || major === TAG || major === SIMPLE) {
          throw formatError(
            what,
            major === SIMPLE ? 'a break stands in its place' : 'it has no length to leave out',
          )
        }
        this.#argument = 0
        break
      default:
        this.#argument = this.#info
    }
    return major
  }

  /** Moves past `size` bytes and returns where they start. */
  #take(size: number | bigint, what: string): number {
    const start = this.#position
    if (size > this.#bytes.length - start) {
      throw formatError(what, `it needs ${size} bytes, ${this.#bytes.length - start} are left`)
    }
    this.#position = start + Number(size)
    return start
  }
}
