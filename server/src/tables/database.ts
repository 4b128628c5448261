import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  DuckDBScalarFunction,
  type DuckDBType,
  INTEGER,
  LIST,
  UBIGINT,
  UINTEGER,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api'
import bindings from '@duckdb/node-bindings'
import type {
  ColumnData,
  DatabaseOptions,
  DuckTypeName,
  DuckValue,
  ScalarDefinition,
} from './database-types.ts'

/**
 * The one file that knows DuckDB's library for Node.js. Pinned to one version: it reads the memory of DuckDB's vectors,
 * which is a promise of DuckDB's C interface, and the library's own classes change with each release.
 */

/** Rows of a vector, the unit in which DuckDB works. */
export const VECTOR_ROWS = 2048

const TYPES = {
  BIGINT,
  BLOB,
  BOOLEAN,
  DOUBLE,
  INTEGER,
  UBIGINT,
  UINTEGER,
  UTINYINT,
  VARCHAR,
  'VARCHAR[]': LIST(VARCHAR),
} satisfies Record<DuckTypeName, DuckDBType>

export class Database {
  readonly #instance: DuckDBInstance

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance
  }

  /** @throws Error of DuckDB, when the file is damaged, of another version or in use. */
  static async open(options: DatabaseOptions): Promise<Database> {
    const { path, tempDirectory, memoryLimitBytes, threads } = options
    const instance = await DuckDBInstance.create(path ?? ':memory:', {
      threads: `${threads}`,
      memory_limit: `${Math.floor(memoryLimitBytes / 1024)}KiB`,
      temp_directory: tempDirectory ?? '',
    })
    const database = new Database(instance)
    const connection = await database.connect()
    try {
      for (const statement of SETTINGS) await connection.run(statement)
    } finally {
      connection.close()
    }
    return database
  }

  /**
   * Nothing outside of the database can be reached from then on, and no setting changes. To be called when all macros and
   * tables are there: it holds until the database is closed.
   */
  async lock(): Promise<void> {
    const connection = await this.connect()
    try {
      for (const statement of LOCKS) await connection.run(statement)
    } finally {
      connection.close()
    }
  }

  async connect(): Promise<Connection> {
    return new Connection(await this.#instance.connect())
  }

  async register(functions: readonly ScalarDefinition[]): Promise<void> {
    const connection = await this.#instance.connect()
    for (const definition of functions) connection.registerScalarFunction(scalarFunction(definition))
    connection.closeSync()
  }

  close(): void {
    this.#instance.closeSync()
  }
}

const SETTINGS = [
  "SET TimeZone = 'UTC'",
  "SET default_null_order = 'NULLS_LAST'",
  'SET autoinstall_known_extensions = false',
  'SET autoload_known_extensions = false',
  'SET allow_community_extensions = false',
  'SET preserve_insertion_order = true',
]

const LOCKS = ['SET enable_external_access = false', 'SET lock_configuration = true']

function scalarFunction(definition: ScalarDefinition): DuckDBScalarFunction {
  const { name, parameters, returns } = definition
  const call = definition.call as unknown as (...args: DuckValue[]) => DuckValue
  return DuckDBScalarFunction.create({
    name,
    parameterTypes: parameters.map((type) => TYPES[type]),
    returnType: TYPES[returns],
    mainFunction: (_info, input, output) => {
      const inputs = parameters.map((_, i) => input.getColumnVector(i))
      for (let row = 0; row < input.rowCount; row++) {
        const args = inputs.map((vector) => plainValue(vector.getItem(row)))
        output.setItem(row, args.includes(null) ? null : duckValue(call(...args)))
      }
      output.flush()
    },
  })
}

function plainValue(value: unknown): DuckValue {
  if (typeof value === 'object' && value !== null) {
    if ('bytes' in value) return value.bytes as Uint8Array
    if ('items' in value) return value.items as string[]
  }
  return value as DuckValue
}

function duckValue(value: DuckValue): never {
  if (value instanceof Uint8Array) return { bytes: value } as never
  if (Array.isArray(value)) return { items: value } as never
  return value as never
}

export class Connection {
  readonly #connection: DuckDBConnection
  #closed = false

  constructor(connection: DuckDBConnection) {
    this.#connection = connection
  }

  /** Runs statements, one after the other, for their effect. */
  async run(sql: string): Promise<void> {
    await this.#connection.run(sql)
  }

  /** All rows at once, of an answer known to be small; integers of 64 bits are bigints. */
  async all(sql: string): Promise<unknown[][]> {
    const reader = await this.#connection.runAndReadAll(sql)
    return reader.getRows()
  }

  /** Computes an answer piece by piece. */
  async stream(sql: string): Promise<RowStream> {
    const result = await this.#connection.stream(sql)
    return new RowStream(result)
  }

  /** Appends rows in bulk; they are there for queries once the returned promise is fulfilled. */
  async append(table: string, columns: readonly ColumnData[], rowCount: number): Promise<void> {
    const appender = await this.#connection.createAppender(table)
    try {
      const types = columns.map((_, i) => appender.columnType(i))
      for (let from = 0; from < rowCount; from += VECTOR_ROWS) {
        appendChunk(appender, types, columns, from, Math.min(rowCount, from + VECTOR_ROWS))
      }
      appender.flushSync()
    } finally {
      appender.closeSync()
    }
  }

  /** Stops what the connection is computing, which then fails. */
  interrupt(): void {
    if (!this.#closed) this.#connection.interrupt()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#connection.closeSync()
  }
}

function appendChunk(
  appender: DuckDBAppender,
  types: readonly DuckDBType[],
  columns: readonly ColumnData[],
  from: number,
  to: number,
): void {
  const chunk = DuckDBDataChunk.create(types, to - from)
  for (const [i, column] of columns.entries()) {
    const vector = bindings.data_chunk_get_vector(chunk.chunk, i)
    if (ArrayBuffer.isView(column)) {
      const size = column.BYTES_PER_ELEMENT
      const offset = column.byteOffset + from * size
      bindings.copy_data_to_vector(vector, 0, column.buffer as ArrayBuffer, offset, (to - from) * size)
      continue
    }
    for (let row = from; row < to; row++) {
      const value = column[row] as string | Uint8Array
      // A NUL would end a text that is passed as one.
      if (typeof value === 'string' && !value.includes('\0')) {
        bindings.vector_assign_string_element(vector, row - from, value)
      } else {
        const bytes = typeof value === 'string' ? Buffer.from(value) : value
        bindings.vector_assign_string_element_len(vector, row - from, bytes)
      }
    }
  }
  appender.appendDataChunk(chunk)
}

type Result = Awaited<ReturnType<DuckDBConnection['stream']>>

/** The chunks of an answer, one after the other. */
export class RowStream {
  readonly #result: Result

  constructor(result: Result) {
    this.#result = result
  }

  /** The next rows; `undefined` after the last. Their memory is DuckDB's, until the next call. */
  async next(): Promise<RowChunk | undefined> {
    const chunk = await this.#result.fetchChunk()
    return chunk === null || chunk.rowCount === 0 ? undefined : new RowChunk(chunk)
  }
}

export class RowChunk {
  readonly rowCount: number
  readonly #chunk: DuckDBDataChunk

  constructor(chunk: DuckDBDataChunk) {
    this.#chunk = chunk
    this.rowCount = chunk.rowCount
  }

  column(index: number): VectorView {
    return new VectorView(bindings.data_chunk_get_vector(this.#chunk.chunk, index), this.rowCount)
  }
}

/** Bytes of a text that lie in the vector itself. */
const INLINE_BYTES = 12

/** Texts or blobs one after the other, as Arrow lays them out. */
export interface PackedBytes {
  /** Where each value begins, and after the last its end. */
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

/** One column of a chunk, flat. All that is returned is a copy. */
export class VectorView {
  readonly length: number
  readonly #vector: bindings.Vector
  /** Values in the memory of the vector. */
  readonly #size: number
  /** Which of them are meant, in which order; `undefined` for all as they lie. */
  readonly #selection: Uint32Array | undefined

  constructor(vector: bindings.Vector, size: number, selection?: Uint32Array | undefined) {
    this.#vector = vector
    this.#size = size
    this.#selection = selection
    this.length = selection?.length ?? size
  }

  /** One bit per value, the lowest first, 1 for values that are there; `undefined` when all are. */
  validity(): Uint8Array | undefined {
    const all = this.#rawValidity()
    const selection = this.#selection
    if (all === undefined || selection === undefined) return all
    const chosen = new Uint8Array(Math.ceil(selection.length / 8))
    for (let i = 0; i < selection.length; i++)
      if (isValid(all, selection[i]!)) chosen[i >> 3]! |= 1 << (i & 7)
    return chosen
  }

  /** The values of a type of fixed size, as they lie in memory. */
  data(bytesPerValue: number): Uint8Array {
    if (this.length === 0) return new Uint8Array(0)
    const all = bindings.vector_get_data(this.#vector, this.#size * bytesPerValue)
    const selection = this.#selection
    if (selection === undefined) return all.slice()
    const chosen = new Uint8Array(selection.length * bytesPerValue)
    for (let i = 0; i < selection.length; i++) {
      const from = selection[i]! * bytesPerValue
      chosen.set(all.subarray(from, from + bytesPerValue), i * bytesPerValue)
    }
    return chosen
  }

  /** The member of a struct. */
  child(index: number): VectorView {
    return new VectorView(bindings.struct_vector_get_child(this.#vector, index), this.#size, this.#selection)
  }

  /** The values of all lists, one list after the other, and where each list begins and ends among them. */
  lists(validity: Uint8Array | undefined): { readonly offsets: Int32Array; readonly items: VectorView } {
    const size = bindings.list_vector_get_size(this.#vector)
    const child = bindings.list_vector_get_child(this.#vector)
    const offsets = new Int32Array(this.length + 1)
    if (this.length === 0) return { offsets, items: new VectorView(child, 0) }
    const entries = this.data(16)
    const words = new Uint32Array(entries.buffer, 0, this.length * 4)
    let total = 0
    let isInOrder = true
    for (let i = 0; i < this.length; i++) {
      const count = isValid(validity, i) ? words[i * 4 + 2]! : 0
      if (count > 0 && words[i * 4] !== total) isInOrder = false
      total += count
      offsets[i + 1] = total
    }
    if (isInOrder && total === size) return { offsets, items: new VectorView(child, size) }
    const selection = new Uint32Array(total)
    for (let i = 0; i < this.length; i++) {
      const first = words[i * 4]!
      for (let at = offsets[i]!; at < offsets[i + 1]!; at++) selection[at] = first + at - offsets[i]!
    }
    return { offsets, items: new VectorView(child, size, selection) }
  }

  /**
   * Texts or blobs. Long ones lie elsewhere in memory, mostly one directly after the other: such a run is copied at once.
   */
  packed(validity: Uint8Array | undefined): PackedBytes {
    const count = this.length
    const offsets = new Int32Array(count + 1)
    if (count === 0) return { offsets, bytes: new Uint8Array(0) }
    const data = bindings.vector_get_data(this.#vector, this.#size * 16)
    const lengths = new Uint32Array(data.buffer, data.byteOffset, this.#size * 4)
    const pointers = new BigUint64Array(data.buffer, data.byteOffset, this.#size * 2)
    const slot = (i: number): number => this.#selection?.[i] ?? i
    let total = 0
    for (let i = 0; i < count; i++) {
      if (isValid(validity, i)) total += lengths[slot(i) * 4]!
      offsets[i + 1] = total
    }
    if (total > MAX_PACKED_BYTES) throw new RangeError('Cannot send a batch of more than 2 GiB')
    const bytes = new Uint8Array(total)
    for (let i = 0; i < count; ) {
      const length = offsets[i + 1]! - offsets[i]!
      if (length === 0) {
        i++
        continue
      }
      const at = slot(i) * 16
      if (length <= INLINE_BYTES) {
        bytes.set(data.subarray(at + 4, at + 4 + length), offsets[i]!)
        i++
        continue
      }
      let next = i + 1
      let end = pointers[at / 8 + 1]! + BigInt(length)
      while (next < count) {
        const more = offsets[next + 1]! - offsets[next]!
        if (more <= INLINE_BYTES || pointers[slot(next) * 2 + 1] !== end) break
        end += BigInt(more)
        next++
      }
      const run = offsets[next]! - offsets[i]!
      const source = bindings.get_data_from_pointer(data.buffer as ArrayBuffer, data.byteOffset + at + 8, run)
      bytes.set(source, offsets[i]!)
      i = next
    }
    return { offsets, bytes }
  }

  #rawValidity(): Uint8Array | undefined {
    if (this.#size === 0) return undefined
    const words = Math.ceil(this.#size / 64)
    const bytes = bindings.vector_get_validity(this.#vector, words * 8) as Uint8Array | null
    return bytes === null ? undefined : bytes.slice()
  }
}

const MAX_PACKED_BYTES = 2 ** 31 - 1

export function isValid(validity: Uint8Array | undefined, index: number): boolean {
  return validity === undefined || ((validity[index >> 3]! >> (index & 7)) & 1) === 1
}
