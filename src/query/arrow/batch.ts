import type { ColumnReader } from './readers/column-reader.ts'
import { setMember } from './readers/nested-readers.ts'
import type { NumericArray } from './readers/number-readers.ts'
import type { DataType, Schema } from './schema.ts'

/** A row whose columns are not known when the program is written. */
export type Row = Record<string, unknown>

/** One column of a batch. */
export interface Column extends Iterable<unknown> {
  /** The name in rows: the server's, made unique (see {@link Batch.columns}). */
  readonly name: string
  readonly type: DataType
  /** The type as text, spelled as pyarrow does. */
  readonly typeName: string
  readonly length: number
  readonly nullCount: number
  /**
   * The memory of a column of whole numbers or floats as it is, the fastest way to them; `undefined` for other types.
   * Shared with the batch and not to be changed. Where `at` gives `null`, it holds something that means nothing.
   */
  readonly values: NumericArray | undefined
  /** The value in a row. @throws `RangeError` when there is no such row. */
  at(index: number): unknown
  /** All values, in an array of their own. */
  toArray(): unknown[]
}

/** A part of a result, held in columns as it came. Rows and values are made when they are asked for. */
export interface Batch<T extends object = Row> extends Iterable<T> {
  readonly schema: Schema
  readonly numRows: number
  /** In the order of the result. Of names that repeat, the second becomes `name:1`, the third `name:2`. */
  readonly columns: readonly Column[]
  /** A column by its name or position. @throws `RangeError` when there is none. */
  column(name: string | number): Column
  /** A row as an object. @throws `RangeError` when there is no such row. */
  row(index: number): T
  /** All rows, in an array of their own. */
  toArray(): T[]
  /** This batch alone as an Arrow IPC stream, as the server sent it. */
  toIPC(): Uint8Array
}

/** The names of a row's members: those of the columns, told apart where they repeat. */
export function rowNames(schema: Schema): string[] {
  const taken = new Set(schema.fields.map((field) => field.name))
  const seen = new Set<string>()
  return schema.fields.map(({ name }) => {
    let unique = name
    for (let n = 1; seen.has(unique); n++) {
      const candidate = `${name}:${n}`
      if (!taken.has(candidate)) unique = candidate
    }
    seen.add(unique)
    return unique
  })
}

class BatchColumn implements Column {
  readonly name: string
  readonly type: DataType
  readonly typeName: string
  readonly length: number
  readonly nullCount: number
  readonly values: NumericArray | undefined
  readonly #read: (index: number) => unknown

  constructor(name: string, schema: Schema, index: number, reader: ColumnReader) {
    const { type, typeName } = schema.fields[index]!
    this.name = name
    this.type = type
    this.typeName = typeName
    this.length = reader.length
    this.nullCount = reader.nullCount
    this.values = reader.values
    this.#read = reader.read
  }

  at(index: number): unknown {
    checkIndex(index, this.length)
    return this.#read(index)
  }

  toArray(): unknown[] {
    return Array.from({ length: this.length }, (_, index) => this.#read(index))
  }

  *[Symbol.iterator](): Generator<unknown> {
    for (let index = 0; index < this.length; index++) yield this.#read(index)
  }
}

/** @internal */
export class RecordBatch<T extends object> implements Batch<T> {
  readonly schema: Schema
  readonly numRows: number
  readonly columns: readonly Column[]
  readonly #names: readonly string[]
  readonly #readers: readonly ColumnReader[]
  readonly #ipc: () => Uint8Array

  constructor(
    schema: Schema,
    names: readonly string[],
    numRows: number,
    readers: readonly ColumnReader[],
    ipc: () => Uint8Array,
  ) {
    this.schema = schema
    this.numRows = numRows
    this.columns = readers.map((reader, i) => new BatchColumn(names[i]!, schema, i, reader))
    this.#names = names
    this.#readers = readers
    this.#ipc = ipc
  }

  column(name: string | number): Column {
    const found =
      typeof name === 'number' ? this.columns[name] : this.columns.find((column) => column.name === name)
    if (found !== undefined) return found
    throw new RangeError(
      `Cannot find column ${JSON.stringify(name)}: the result has ${this.#names.map((known) => JSON.stringify(known)).join(', ') || 'none'}`,
    )
  }

  row(index: number): T {
    checkIndex(index, this.numRows)
    return this.#row(index)
  }

  toArray(): T[] {
    const rows: T[] = []
    for (let index = 0; index < this.numRows; index++) rows.push(this.#row(index))
    return rows
  }

  *[Symbol.iterator](): Generator<T> {
    for (let index = 0; index < this.numRows; index++) yield this.#row(index)
  }

  toIPC(): Uint8Array {
    return this.#ipc()
  }

  #row(index: number): T {
    const row: Row = {}
    const names = this.#names
    const readers = this.#readers
    for (let i = 0; i < names.length; i++) setMember(row, names[i]!, readers[i]!.read(index))
    return row as T
  }
}

function checkIndex(index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return
  throw new RangeError(`Cannot read row ${index}: there are ${length}`)
}
