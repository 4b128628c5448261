export interface DatabaseOptions {
  /** Path of the file; `undefined` keeps all in memory. */
  readonly path: string | undefined
  /** Where what does not fit into memory goes; `undefined` for nowhere. */
  readonly tempDirectory: string | undefined
  readonly memoryLimitBytes: number
  readonly threads: number
}

/** Types that tables and functions of this server have. */
export type DuckTypeName =
  | 'BIGINT'
  | 'BLOB'
  | 'BOOLEAN'
  | 'DOUBLE'
  | 'INTEGER'
  | 'UBIGINT'
  | 'UINTEGER'
  | 'UTINYINT'
  | 'VARCHAR'
  | 'VARCHAR[]'

/** Values as functions written in JavaScript take and give them. */
export type DuckValue = string | number | bigint | boolean | Uint8Array | readonly (string | null)[] | null

export interface ScalarDefinition {
  readonly name: string
  readonly parameters: readonly DuckTypeName[]
  readonly returns: DuckTypeName
  /** Called for rows in which no argument is NULL; what it throws is the query's error. */
  readonly call: (...args: never[]) => DuckValue
}

/** A column to append: as many values as there are rows, numbers in the type of the column. */
export type ColumnData =
  | Int32Array
  | Uint32Array
  | Uint8Array
  | BigInt64Array
  | Float64Array
  | readonly string[]
  | readonly Uint8Array[]
