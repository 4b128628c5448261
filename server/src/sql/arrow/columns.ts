import {
  type Field as ArrowField,
  type Data,
  type DataType,
  Dictionary,
  makeData,
  makeVector,
  RecordBatch,
  type Schema,
  Struct,
} from 'apache-arrow'
import type { PackedBytes, RowChunk, VectorView } from '../../tables/database.ts'
import { isValid } from '../../tables/database.ts'
import { encodeJsonb } from '../jsonb/jsonb.ts'
import type { ArrowType, Field } from '../types/arrow-type.ts'

/** Bytes of a value in DuckDB's vectors, which are those of Arrow. */
const WIDTHS: Readonly<Record<string, number>> = {
  Int8: 1,
  UInt8: 1,
  Int16: 2,
  UInt16: 2,
  Int32: 4,
  UInt32: 4,
  Float32: 4,
  Date32: 4,
  Time32: 4,
  Int64: 8,
  UInt64: 8,
  Float64: 8,
  Date64: 8,
  Time64: 8,
  Timestamp: 8,
  Duration: 8,
}

const ARRAYS = {
  Int8: Int8Array,
  UInt8: Uint8Array,
  Int16: Int16Array,
  UInt16: Uint16Array,
  Int32: Int32Array,
  UInt32: Uint32Array,
  Float32: Float32Array,
  Date32: Int32Array,
  Time32: Int32Array,
  Int64: BigInt64Array,
  UInt64: BigUint64Array,
  Float64: Float64Array,
  Date64: BigInt64Array,
  Time64: BigInt64Array,
  Timestamp: BigInt64Array,
  Duration: BigInt64Array,
} as const

/** Turns chunks of the database into batches of one schema. */
export class BatchMaker {
  readonly #schema: Schema
  readonly #fields: readonly Field[]
  readonly #jsonb = new Map<string, Uint8Array>()

  constructor(schema: Schema, fields: readonly Field[]) {
    this.#schema = schema
    this.#fields = fields
  }

  batch(chunk: RowChunk): RecordBatch {
    const children = this.#fields.map((field, i) =>
      this.#column(field.type, this.#schema.fields[i]!.type as DataType, chunk.column(i)),
    )
    const data = makeData({
      type: new Struct(this.#schema.fields),
      length: chunk.rowCount,
      nullCount: 0,
      children,
    })
    return new RecordBatch(this.#schema, data)
  }

  #column(type: ArrowType, target: DataType, view: VectorView): Data {
    const validity = view.validity()
    const base = { type: target, length: view.length, ...nulls(validity, view.length) }
    const width = WIDTHS[type.kind]
    if (width !== undefined) {
      const bytes = view.data(width)
      const Typed = ARRAYS[type.kind as keyof typeof ARRAYS]
      return makeData({ ...base, data: new Typed(bytes.buffer as ArrayBuffer) } as never)
    }
    switch (type.kind) {
      case 'Null':
        return makeData({ type: target, length: view.length } as never)
      case 'Boolean':
        return makeData({ ...base, data: packBits(view.data(1)) } as never)
      case 'Decimal128':
        return makeData({ ...base, data: decimals(view, type.precision) } as never)
      case 'Interval':
        return makeData({ ...base, data: intervals(view) } as never)
      case 'Utf8':
      case 'LargeUtf8':
        return packedData(base, view.packed(validity))
      case 'Binary':
      case 'LargeBinary':
      case 'BinaryView':
        return packedData(
          base,
          type.jsonb ? this.#encode(view.packed(validity), validity) : view.packed(validity),
        )
      case 'Utf8View':
        return viewData(base, view.packed(validity), validity)
      case 'FixedSizeBinary':
        return makeData({ ...base, data: fixed(view.packed(validity), type.size) } as never)
      case 'Dictionary':
        return target instanceof Dictionary
          ? this.#dictionary(type, target, view, validity)
          : this.#column(type.value, target, view)
      case 'List': {
        const { offsets, items } = view.lists(validity)
        const child = this.#column(type.item.type, childType(target, 0), items)
        return makeData({ ...base, valueOffsets: offsets, child } as never)
      }
      case 'Struct': {
        const children = type.fields.map((field, i) =>
          this.#column(field.type, childType(target, i), view.child(i)),
        )
        return makeData({ ...base, children } as never)
      }
      case 'Map': {
        const { offsets, items } = view.lists(validity)
        const entries = childType(target, 0)
        const children = [type.key, type.value].map((member, i) =>
          this.#column(member, childType(entries, i), items.child(i)),
        )
        const child = makeData({ type: entries, length: items.length, nullCount: 0, children } as never)
        return makeData({ ...base, valueOffsets: offsets, child } as never)
      }
      default:
        throw new Error(`Cannot send values of type ${type.kind}`)
    }
  }

  /** JSON texts as JSONB; the same few property sets come again and again. */
  #encode({ offsets, bytes }: PackedBytes, validity: Uint8Array | undefined): PackedBytes {
    const count = offsets.length - 1
    const values: Uint8Array[] = []
    const encoded = new Int32Array(count + 1)
    let total = 0
    for (let i = 0; i < count; i++) {
      if (isValid(validity, i)) {
        const value = this.#jsonbOf(
          Buffer.from(bytes.buffer, bytes.byteOffset + offsets[i]!, offsets[i + 1]! - offsets[i]!).toString(),
        )
        values.push(value)
        total += value.length
      }
      encoded[i + 1] = total
    }
    return { offsets: encoded, bytes: Buffer.concat(values) }
  }

  #jsonbOf(text: string): Uint8Array {
    let value = this.#jsonb.get(text)
    if (value === undefined) {
      value = encodeJsonb(text)
      if (this.#jsonb.size >= MAX_CACHED_JSONB) this.#jsonb.clear()
      this.#jsonb.set(text, value)
    }
    return value
  }

  #dictionary(
    type: ArrowType & { kind: 'Dictionary' },
    target: Dictionary,
    view: VectorView,
    validity: Uint8Array | undefined,
  ): Data {
    const { offsets, bytes } = view.packed(validity)
    const indices = new Int32Array(view.length)
    const known = new Map<string, number>()
    const starts: number[] = []
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let i = 0; i < view.length; i++) {
      if (!isValid(validity, i)) continue
      const key = text.toString('latin1', offsets[i], offsets[i + 1])
      let index = known.get(key)
      if (index === undefined) {
        index = known.size
        known.set(key, index)
        starts.push(i)
      }
      indices[i] = index
    }
    const values = select({ offsets, bytes }, starts)
    const isJsonb = type.value.kind === 'Binary' && type.value.jsonb === true
    const packed = isJsonb ? this.#encode(values, undefined) : values
    const dictionary = makeVector(
      packedData({ type: target.dictionary, length: starts.length, nullCount: 0 }, packed),
    )
    return makeData({
      type: target,
      length: view.length,
      ...nulls(validity, view.length),
      data: indices,
      dictionary,
    } as never)
  }
}

const MAX_CACHED_JSONB = 20_000

function childType(type: DataType, index: number): DataType {
  return (type.children as ArrowField[])[index]!.type as DataType
}

function nulls(
  validity: Uint8Array | undefined,
  length: number,
): { nullCount: number; nullBitmap?: Uint8Array } {
  if (validity === undefined) return { nullCount: 0 }
  let valid = 0
  for (let i = 0; i < length; i++) valid += (validity[i >> 3]! >> (i & 7)) & 1
  return valid === length ? { nullCount: 0 } : { nullCount: length - valid, nullBitmap: validity }
}

interface Base {
  readonly type: DataType
  readonly length: number
  readonly nullCount: number
  readonly nullBitmap?: Uint8Array
}

function packedData(base: Base, { offsets, bytes }: PackedBytes): Data {
  const large = String(base.type).startsWith('Large')
  const valueOffsets = large ? BigInt64Array.from(offsets, (offset) => BigInt(offset)) : offsets
  return makeData({ ...base, valueOffsets, data: bytes } as never)
}

function select({ offsets, bytes }: PackedBytes, rows: readonly number[]): PackedBytes {
  const parts = rows.map((row) => bytes.subarray(offsets[row], offsets[row + 1]))
  const chosen = new Int32Array(rows.length + 1)
  for (const [i, part] of parts.entries()) chosen[i + 1] = chosen[i]! + part.length
  return { offsets: chosen, bytes: Buffer.concat(parts) }
}

/** Texts as views: up to twelve bytes in place, of longer ones the beginning and where they are. */
function viewData(base: Base, { offsets, bytes }: PackedBytes, validity: Uint8Array | undefined): Data {
  const views = new Uint8Array(base.length * 16)
  const numbers = new Int32Array(views.buffer)
  for (let i = 0; i < base.length; i++) {
    if (!isValid(validity, i)) continue
    const from = offsets[i]!
    const length = offsets[i + 1]! - from
    numbers[i * 4] = length
    views.set(bytes.subarray(from, from + Math.min(length, length <= 12 ? 12 : 4)), i * 16 + 4)
    if (length > 12) numbers[i * 4 + 3] = from
  }
  return makeData({ ...base, views, variadicBuffers: bytes.length > 0 ? [bytes] : [] } as never)
}

function fixed({ offsets, bytes }: PackedBytes, size: number): Uint8Array {
  const values = new Uint8Array((offsets.length - 1) * size)
  for (let i = 0; i < offsets.length - 1; i++)
    values.set(bytes.subarray(offsets[i], offsets[i + 1]).subarray(0, size), i * size)
  return values
}

function packBits(bytes: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(bytes.length / 8))
  for (let i = 0; i < bytes.length; i++) if (bytes[i]) bits[i >> 3]! |= 1 << (i & 7)
  return bits
}

function intervals(view: VectorView): Int32Array {
  const months = new Int32Array(view.child(0).data(4).buffer)
  const days = new Int32Array(view.child(1).data(4).buffer)
  const nanoseconds = new Int32Array(view.child(2).data(8).buffer)
  const values = new Int32Array(view.length * 4)
  for (let i = 0; i < view.length; i++) {
    values[i * 4] = months[i]!
    values[i * 4 + 1] = days[i]!
    values[i * 4 + 2] = nanoseconds[i * 2]!
    values[i * 4 + 3] = nanoseconds[i * 2 + 1]!
  }
  return values
}

/** DuckDB stores a decimal in as few bytes as its precision needs, Arrow in sixteen. */
function decimals(view: VectorView, precision: number): Uint32Array {
  const width = precision <= 4 ? 2 : precision <= 9 ? 4 : precision <= 18 ? 8 : 16
  const bytes = view.data(width)
  if (width === 16) return new Uint32Array(bytes.buffer)
  const buffer = bytes.buffer as ArrayBuffer
  const values: ArrayLike<number | bigint> =
    width === 2 ? new Int16Array(buffer) : width === 4 ? new Int32Array(buffer) : new BigInt64Array(buffer)
  const wide = new BigInt64Array(view.length * 2)
  for (let i = 0; i < view.length; i++) {
    const value = BigInt(values[i]!)
    wide[i * 2] = value
    wide[i * 2 + 1] = value < 0n ? -1n : 0n
  }
  return new Uint32Array(wide.buffer)
}
