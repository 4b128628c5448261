import { readObject, readOffset, readUint8 } from '@uwdata/flechette/src/util/read.js'

/**
 * Looks whether the vectors of an Arrow message's metadata lie within it, before flechette reads them: it takes a length
 * as it stands, and a damaged one would keep the process busy with billions of elements.
 */
export class MetadataVerifier {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  /** No more fields than there are bytes to describe them: offsets that lead back make a tree without end. */
  #fields = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Schema.fbs `Schema`: fields, metadata. */
  schema(offset: number): void {
    const get = readObject(this.#bytes, offset)
    this.#vector(get(8, readOffset, 0), 4)
    for (const field of this.#elements(get(6, readOffset, 0))) this.#field(field)
  }

  /** Message.fbs `RecordBatch`: nodes, buffers, buffer counts of views. */
  recordBatch(offset: number): void {
    const get = readObject(this.#bytes, offset)
    this.#vector(get(6, readOffset, 0), 16)
    this.#vector(get(8, readOffset, 0), 16)
    this.#vector(get(12, readOffset, 0), 8)
  }

  /** Message.fbs `DictionaryBatch`: the batch in it. */
  dictionaryBatch(offset: number): void {
    const batch = readObject(this.#bytes, offset)(6, readOffset, 0)
    if (batch !== 0) this.recordBatch(batch)
  }

  /** Schema.fbs `Field`: type, children, metadata. */
  #field(offset: number): void {
    if (++this.#fields > this.#bytes.length)
      throw new RangeError('a schema describes more fields than it has bytes')
    const get = readObject(this.#bytes, offset)
    const UNION = 14
    const type = get(10, readOffset, 0)
    if (get(8, readUint8, 0) === UNION && type !== 0) {
      this.#vector(readObject(this.#bytes, type)(6, readOffset, 0), 4)
    }
    this.#vector(get(16, readOffset, 0), 4)
    for (const child of this.#elements(get(14, readOffset, 0))) this.#field(child)
  }

  /** Where the elements of a vector of tables are. */
  #elements(offset: number): number[] {
    const { first, count } = this.#vector(offset, 4)
    return Array.from({ length: count }, (_, i) => first + 4 * i)
  }

  #vector(offset: number, stride: number): { readonly first: number; readonly count: number } {
    if (offset === 0) return { first: 0, count: 0 }
    const base = offset + this.#view.getInt32(offset, true)
    const count = this.#view.getInt32(base, true)
    const first = base + 4
    if (count < 0 || first + count * stride > this.#bytes.length) {
      throw new RangeError('a vector of its metadata lies outside of it')
    }
    return { first, count }
  }
}
