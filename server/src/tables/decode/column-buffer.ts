import type { ColumnData } from '../database-types.ts'

type Kind = 'i32' | 'u32' | 'u8' | 'i64' | 'f64' | 'text' | 'bytes'

const MAKERS = {
  i32: (size: number) => new Int32Array(size),
  u32: (size: number) => new Uint32Array(size),
  u8: (size: number) => new Uint8Array(size),
  i64: (size: number) => new BigInt64Array(size),
  f64: (size: number) => new Float64Array(size),
} as const

type Growing = Int32Array | Uint32Array | Uint8Array | BigInt64Array | Float64Array

/** Collects rows column by column before they are appended to a table. */
export class ColumnBuffer {
  readonly table: string
  readonly #kinds: readonly Kind[]
  readonly #columns: (Growing | string[] | Uint8Array[])[]
  #capacity = 1024
  rowCount = 0

  constructor(table: string, kinds: readonly Kind[]) {
    this.table = table
    this.#kinds = kinds
    this.#columns = kinds.map((kind) =>
      kind === 'text' || kind === 'bytes' ? [] : MAKERS[kind](this.#capacity),
    )
  }

  /** Values in the order of the columns: numbers, bigints for `i64`, texts, bytes. */
  push(...values: readonly (number | bigint | string | Uint8Array)[]): void {
    if (this.rowCount === this.#capacity) this.#grow()
    const row = this.rowCount++
    for (let i = 0; i < values.length; i++) {
      const column = this.#columns[i] as (number | bigint | string | Uint8Array)[]
      column[row] = values[i]!
    }
  }

  /** The columns as they are to be appended; the buffer is empty then. */
  take(): { readonly columns: ColumnData[]; readonly rowCount: number } {
    const { rowCount } = this
    const columns = this.#columns.map((column) =>
      ArrayBuffer.isView(column) ? column.subarray(0, rowCount) : column.splice(0, rowCount),
    ) as ColumnData[]
    for (const [i, kind] of this.#kinds.entries()) {
      if (kind !== 'text' && kind !== 'bytes') this.#columns[i] = MAKERS[kind](this.#capacity)
    }
    this.rowCount = 0
    return { columns, rowCount }
  }

  #grow(): void {
    this.#capacity *= 2
    for (const [i, kind] of this.#kinds.entries()) {
      if (kind === 'text' || kind === 'bytes') continue
      const grown = MAKERS[kind](this.#capacity)
      grown.set(this.#columns[i] as never)
      this.#columns[i] = grown
    }
  }
}
