import { TelemetryError } from '../model/errors.ts'
import type { Batch, Row } from './arrow/batch.ts'
import { BatchDecoder } from './arrow/batch-decoder.ts'
import { assembleMessage, corrupt, END_OF_STREAM, type IpcMessage, splitStream } from './arrow/ipc-message.ts'
import { schemaFromWire } from './arrow/schema-from-wire.ts'
import { resolveValueOptions, type ValueModes } from './arrow/value-options.ts'
import { type BatchStream, DecodedStream } from './batch-stream.ts'
import {
  type CallOptions,
  type ClientConfig,
  checkHeaders,
  checkTimeout,
  type FlightSQLClientOptions,
  limit,
  type QueryOptions,
  resolveClientOptions,
} from './client-options.ts'
import { clientOptionsFromEnv } from './environment.ts'
import { Connection } from './flight/connection.ts'
import { type CallOptions as FlightCallOptions, FlightCalls } from './flight/flight-calls.ts'
import { prepareAction, queryTicket, readFlightData, readPrepared } from './flight/flight-messages.ts'
import type { PreparedStatement } from './prepared-statement.ts'
import { BufferedResult, type QueryResult } from './query-result.ts'
import { formatNanoseconds, resolveRange } from './time.ts'

/**
 * Asks an analytics server (a Micromegas deployment, or `micromegas-server`) by SQL. One connection serves all queries,
 * many at once; it opens with the first and reopens when the server comes back. An idle client does not keep the process
 * alive.
 *
 * @example
 * ```ts
 * await using client = new FlightSQLClient('grpc://localhost:50051')
 * const { rows } = await client.query('select time, level, msg from log_entries order by time', { begin: '1h' })
 * for (const row of rows) console.log(row)
 * ```
 */
export class FlightSQLClient implements AsyncDisposable {
  readonly #config: ClientConfig
  readonly #connection: Connection
  readonly #calls: FlightCalls
  readonly #closing = new AbortController()

  /**
   * Opens no connection yet.
   *
   * @param uri - `grpc://host:port`, or `grpc+tls://host:port` for TLS. @defaultValue `grpc://localhost:50051`
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` for a URI or a setting that cannot be used; `TypeError` and
   * `RangeError` for options of the wrong kind.
   */
  constructor(uri?: string, options: FlightSQLClientOptions = {}) {
    this.#config = resolveClientOptions(uri, options, process.env)
    const { connection, auth } = this.#config
    this.#connection = new Connection(connection)
    this.#calls = new FlightCalls(this.#connection, connection.address.label, auth, this.#closing.signal)
  }

  /**
   * A client as the environment describes it: `MICROMEGAS_ANALYTICS_URI`; the API key in `MICROMEGAS_ANALYTICS_API_KEY` or
   * in the file that `MICROMEGAS_ANALYTICS_API_KEY_FILE` names; `MICROMEGAS_REQUIRE_TLS`.
   *
   * @param options - Win over the environment.
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when a variable cannot be used.
   */
  static fromEnv(options: FlightSQLClientOptions = {}): FlightSQLClient {
    const { uri, ...found } = clientOptionsFromEnv(process.env, options)
    return new FlightSQLClient(uri, found)
  }

  /**
   * Runs a query and collects the whole result; for long ones take {@link queryStream} or {@link queryRows}.
   *
   * @throws {@link QueryError} when the query fails; the signal's reason when it is aborted.
   */
  async query<T extends object = Row>(sql: string, options: QueryOptions = {}): Promise<QueryResult<T>> {
    const decoder = new BatchDecoder<T>(this.#values(options))
    const batches: Batch<T>[] = []
    const parts: Uint8Array[] = []
    for await (const message of this.#messages(sql, options)) {
      const batch = decoder.push(message)
      if (batch !== undefined) batches.push(batch)
      parts.push(message.bytes)
    }
    if (decoder.schema === undefined) throw corrupt('it is empty')
    return new BufferedResult(decoder.schema, batches, [...parts, END_OF_STREAM])
  }

  /**
   * Runs a query and gives its batches as they come; the server waits while one is worked on. The query begins when the
   * iteration does, and is cancelled when that is left early.
   *
   * @throws As {@link query}, in the iteration. What is wrong with the options is thrown at once.
   */
  queryStream<T extends object = Row>(sql: string, options: QueryOptions = {}): BatchStream<T> {
    return new DecodedStream(this.#messages(sql, options), this.#values(options))
  }

  /** Runs a query and gives its rows as they come, with no more than a batch or two in memory. @throws As {@link queryStream}. */
  queryRows<T extends object = Row>(
    sql: string,
    options: QueryOptions = {},
  ): AsyncGenerator<T, void, undefined> {
    return rowsOf(this.queryStream<T>(sql, options))
  }

  /**
   * Runs a query and gives its result as an Arrow IPC stream, message by message, as the server sent it: the schema first,
   * the end mark last. For files, DuckDB, polars, pandas.
   *
   * @returns Bytes of their own.
   * @throws As {@link queryStream}.
   */
  queryIpc(sql: string, options: QueryOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    return bytesOf(this.#messages(sql, options))
  }

  /**
   * Runs a query and gives its result as a table of `apache-arrow`, which has to be installed beside this package. Its
   * times are milliseconds as floating-point numbers; `int64`, `timestamps` and `jsonb` do not apply.
   *
   * @typeParam Table - `Table` of your `apache-arrow`.
   * @throws As {@link query}; {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when `apache-arrow` is not installed.
   */
  async queryArrow<Table = ArrowTable>(sql: string, options: QueryOptions = {}): Promise<Table> {
    const { tableFromIPC } = await loadArrow()
    const table: unknown = await tableFromIPC(this.queryIpc(sql, options))
    return table as Table
  }

  /**
   * Has the server plan a query without running it: what its columns are, and whether it can be planned at all.
   *
   * @throws {@link QueryError} when it cannot.
   */
  async prepareStatement(sql: string, options: CallOptions = {}): Promise<PreparedStatement> {
    const call = this.#callOptions('prepare the statement', {}, options)
    for await (const result of this.#calls.call('DoAction', [prepareAction(text(sql))], call)) {
      const { handle, schema } = readPrepared(result)
      for (const { content } of splitStream(schema)) {
        if (content.kind === 'schema')
          return { query: handle, schema: schemaFromWire(content.schema, new Map()) }
      }
    }
    throw corrupt('it has no schema')
  }

  /** Runs a prepared statement: the same as {@link queryStream} with its text. */
  preparedStatementStream<T extends object = Row>(
    statement: PreparedStatement,
    options: QueryOptions = {},
  ): BatchStream<T> {
    return this.queryStream(statement.query, options)
  }

  /** Ends what still runs (it rejects with `ERR_TELEMETRY_CLOSED`) and closes the connection. May be called again. */
  async close(): Promise<void> {
    this.#closing.abort(new TelemetryError('ERR_TELEMETRY_CLOSED', 'Cannot query: the client is closed'))
    this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #messages(sql: string, options: QueryOptions): AsyncGenerator<IpcMessage, void, undefined> {
    const call = this.#callOptions('run the query', this.#queryMetadata(options), options)
    return assemble(this.#calls.call('DoGet', [queryTicket(text(sql))], call))
  }

  #queryMetadata(options: QueryOptions): Record<string, string> {
    const range = resolveRange(options)
    const preserve = options.preserveDictionary ?? this.#config.preserveDictionary
    return {
      ...(range === undefined
        ? {}
        : {
            query_range_begin: formatNanoseconds(range.begin),
            query_range_end: formatNanoseconds(range.end),
          }),
      ...(options.limit === undefined
        ? {}
        : { limit: String(limit('limit', options.limit, 0, Number.MAX_SAFE_INTEGER)) }),
      ...(preserve ? { preserve_dictionary: 'true' } : {}),
    }
  }

  #callOptions(what: string, metadata: Record<string, string>, options: CallOptions): FlightCallOptions {
    return {
      what,
      metadata: { ...this.#config.headers, ...checkHeaders(options.headers), ...metadata },
      signal: options.signal,
      timeoutMs: checkTimeout(options.timeoutMs) ?? this.#config.timeoutMs,
    }
  }

  #values(options: QueryOptions): ValueModes {
    return resolveValueOptions(options, this.#config.values)
  }
}

/** What a table of `apache-arrow` has, of any version; give its own `Table` as a type argument for the rest. */
export interface ArrowTable extends Iterable<unknown> {
  readonly numRows: number
  readonly numCols: number
  get(index: number): unknown
  getChild(name: string): unknown
  toArray(): unknown[]
}

async function loadArrow(): Promise<{ tableFromIPC(source: AsyncIterable<Uint8Array>): unknown }> {
  try {
    return await import('apache-arrow')
  } catch (cause) {
    throw new TelemetryError(
      'ERR_TELEMETRY_CONFIG',
      'Cannot load apache-arrow, which queryArrow() needs: npm install apache-arrow',
      { cause },
    )
  }
}

function text(sql: string): string {
  if (typeof sql === 'string' && sql.trim() !== '') return sql
  throw new TypeError('Cannot run the query: expected SQL as text')
}

async function* assemble(
  answers: AsyncGenerator<Buffer, void, undefined>,
): AsyncGenerator<IpcMessage, void, undefined> {
  for await (const answer of answers) {
    const data = readFlightData(answer)
    if (data !== undefined) yield assembleMessage(data.header, data.body)
  }
}

async function* rowsOf<T extends object>(stream: BatchStream<T>): AsyncGenerator<T, void, undefined> {
  for await (const batch of stream) yield* batch
}

async function* bytesOf(
  messages: AsyncGenerator<IpcMessage, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { bytes } of messages) yield bytes
  yield END_OF_STREAM.slice()
}
