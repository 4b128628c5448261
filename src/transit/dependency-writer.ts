import { writeText } from './text.ts'

/** Type index of the string type: the first entry of every non-empty `dependencies_metadata` this SDK sends. */
const STRING_TYPE_INDEX = 0
/** String codec 2: UTF-8. */
const CODEC_UTF8 = 2
const INITIAL_BYTES = 4096
const U32 = 2 ** 32

/**
 * Writes the dependency section of one block at a time: strings, records that refer to strings, and property sets.
 *
 * It numbers the dependencies itself, from 1 in every block: ids have no meaning beyond the block, and one counter for
 * strings and records alike cannot collide. A dependency only ever refers to earlier ones, because an id is known only
 * once its dependency is written.
 */
export class DependencyWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  #view: DataView = viewOf(this.#bytes)
  #length = 0
  #nextId = 1
  readonly #strings = new Map<string, number>()

  /** Bytes written to the current section. */
  get length(): number {
    return this.#length
  }

  /** The id of a string, written at its first use in the block (`StaticStringDependency`). */
  string(text: string): number {
    const known = this.#strings.get(text)
    if (known !== undefined) return known
    const start = this.#reserve(18 + text.length * 3)
    const id = this.#nextId++
    const textStart = start + 18
    const end = writeText(this.#bytes, this.#view, textStart, text)
    this.#bytes[start] = STRING_TYPE_INDEX
    this.#bytes.writeUInt32LE(end - start - 5, start + 1)
    this.#writeId(start + 5, id)
    this.#bytes[start + 13] = CODEC_UTF8
    this.#bytes.writeUInt32LE(end - textStart, start + 14)
    this.#length = end
    this.#strings.set(text, id)
    return id
  }

  /** Writes a fixed-size record: its own new id, the ids it refers to, then its u32 members. Returns the id. */
  record(typeIndex: number, references: readonly number[], integers: readonly number[]): number {
    let cursor = this.#reserve(9 + references.length * 8 + integers.length * 4)
    const id = this.#nextId++
    this.#bytes[cursor] = typeIndex
    cursor = this.#writeId(cursor + 1, id)
    for (const reference of references) cursor = this.#writeId(cursor, reference)
    for (const integer of integers) cursor = this.#bytes.writeUInt32LE(integer, cursor)
    this.#length = cursor
    return id
  }

  /** Writes a `PropertySetDependency` and the strings it needs. Returns its id. */
  propertySet(typeIndex: number, entries: readonly (readonly [name: string, value: string])[]): number {
    const references: number[] = []
    for (const [name, value] of entries) references.push(this.string(name), this.string(value))
    const size = 12 + references.length * 8
    let cursor = this.#reserve(5 + size)
    const id = this.#nextId++
    this.#bytes[cursor] = typeIndex
    this.#bytes.writeUInt32LE(size, cursor + 1)
    cursor = this.#writeId(cursor + 5, id)
    cursor = this.#bytes.writeUInt32LE(entries.length, cursor)
    for (const reference of references) cursor = this.#writeId(cursor, reference)
    this.#length = cursor
    return id
  }

  /** Hands out the finished section as a copy of its own and starts the next one. */
  take(): Uint8Array {
    const section = Buffer.allocUnsafeSlow(this.#length)
    this.#bytes.copy(section, 0, 0, this.#length)
    this.#length = 0
    this.#nextId = 1
    this.#strings.clear()
    return section
  }

  #writeId(offset: number, id: number): number {
    this.#bytes.writeUInt32LE(id % U32, offset)
    return this.#bytes.writeUInt32LE(Math.floor(id / U32), offset + 4)
  }

  #reserve(size: number): number {
    const needed = this.#length + size
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
      this.#view = viewOf(grown)
    }
    return this.#length
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
