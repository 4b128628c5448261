import type { RecordBatch } from '@uwdata/flechette'
import { QueryError } from '../../query-error.ts'
import { corrupt } from '../ipc-message.ts'

type TypedArrayConstructor<T> = {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T
}

/** One column, or a part of a nested one, as the batch describes it. */
export interface ArrayNode {
  readonly length: number
  readonly nullCount: number
}

/** Hands out what a batch consists of in the order of its columns, each part depth first, as Arrow lays it out. */
export class BufferCursor {
  readonly #layout: RecordBatch
  readonly #body: Uint8Array
  #node = 0
  #region = 0
  #variadic = 0

  /** @throws {@link QueryError} `UNIMPLEMENTED` when the body is compressed, which Micromegas servers do not do. */
  constructor(layout: RecordBatch, body: Uint8Array) {
    if (layout.compression) {
      const codec = layout.compression.codec === 0 ? 'LZ4' : 'zstd'
      throw new QueryError('UNIMPLEMENTED', `Cannot read the answer: its batches are compressed (${codec})`)
    }
    this.#layout = layout
    this.#body = body
  }

  node(): ArrayNode {
    const node = this.#layout.nodes[this.#node++]
    if (node === undefined || node.length < 0) throw corrupt('a batch has too few columns')
    return node
  }

  /** The validity bitmap of a node: `undefined` when it has no nulls. */
  validity(node: ArrayNode): Uint8Array | undefined {
    const bitmap = this.bytes()
    if (node.nullCount === 0 || bitmap.length === 0) return undefined
    if (bitmap.length * 8 < node.length) throw corrupt('a validity bitmap is too short')
    return bitmap
  }

  bytes(): Uint8Array {
    const region = this.#layout.regions[this.#region++]
    if (region === undefined) throw corrupt('a batch has too few buffers')
    const { offset, length } = region
    if (!(offset >= 0 && length >= 0 && offset + length <= this.#body.length)) {
      throw corrupt('a buffer lies outside of its batch')
    }
    return this.#body.subarray(offset, offset + length)
  }

  /** Shares the batch's memory. @param length - How many elements there have to be; padding behind them is cut off. */
  typed<T>(Type: TypedArrayConstructor<T>, length: number): T {
    const bytes = this.bytes()
    if (bytes.length < length * Type.BYTES_PER_ELEMENT) throw corrupt('a buffer is too short')
    if (bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0)
      return new Type(bytes.buffer, bytes.byteOffset, length)
    return new Type(bytes.slice().buffer, 0, length) // no writer that keeps to the format gets here
  }

  /** Offsets of `count` elements, checked: they never decrease, and the last one is at most `limit` once it is known. */
  offsets(count: number, large: boolean): Int32Array | Float64Array {
    // A writer may leave them out when there are no elements.
    if (count === 0) {
      this.bytes()
      return new Int32Array(1)
    }
    if (!large) return this.typed(Int32Array, count + 1)
    return Float64Array.from(this.typed(BigInt64Array, count + 1), Number)
  }

  /** How many data buffers the next column of views has. */
  dataBuffers(): Uint8Array[] {
    const count = this.#layout.variadic[this.#variadic++]
    if (count === undefined || count < 0) throw corrupt('a batch does not count the buffers of its views')
    const buffers: Uint8Array[] = []
    for (let i = 0; i < count; i++) buffers.push(this.bytes())
    return buffers
  }
}

/** @throws {@link QueryError} `DATA_LOSS` unless offsets are in order and end within `limit`. */
export function checkOffsets(offsets: Int32Array | Float64Array, limit: number): void {
  let last = 0
  for (let i = 0; i < offsets.length; i++) {
    const offset = offsets[i]!
    if (offset < last) throw corrupt('offsets are not in order')
    last = offset
  }
  if (last > limit) throw corrupt('an offset lies outside of its buffer')
}
