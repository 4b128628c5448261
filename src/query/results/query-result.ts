import type { Batch, Row } from '../arrow/batch.ts'
import { concat } from '../arrow/batch-decoder.ts'
import type { Schema } from '../arrow/schema.ts'

/** A whole result, in memory. */
export interface QueryResult<T extends object = Row> extends Iterable<T> {
  /** All rows as objects, made when they are first asked for. */
  readonly rows: readonly T[]
  readonly numRows: number
  readonly schema: Schema
  /** The columns, in parts. */
  readonly batches: readonly Batch<T>[]
  /** The result as an Arrow IPC stream, as the server sent it: for files, DuckDB, polars, pandas. */
  toIPC(): Uint8Array
}

/** @internal */
export class BufferedResult<T extends object> implements QueryResult<T> {
  readonly schema: Schema
  readonly batches: readonly Batch<T>[]
  readonly numRows: number
  readonly #messages: readonly Uint8Array[]
  #rows: T[] | undefined

  constructor(schema: Schema, batches: readonly Batch<T>[], messages: readonly Uint8Array[]) {
    this.schema = schema
    this.batches = batches
    this.numRows = batches.reduce((sum, batch) => sum + batch.numRows, 0)
    this.#messages = messages
  }

  get rows(): readonly T[] {
    this.#rows ??= this.batches.flatMap((batch) => batch.toArray())
    return this.#rows
  }

  [Symbol.iterator](): Iterator<T> {
    return this.rows[Symbol.iterator]()
  }

  toIPC(): Uint8Array {
    return concat(this.#messages)
  }
}
