import { TelemetryError } from '../model/errors.ts'
import type { Batch, Row } from './arrow/batch.ts'
import { BatchDecoder } from './arrow/batch-decoder.ts'
import { assembleMessage, corrupt, END_OF_STREAM, type IpcMessage, splitStream } from './arrow/ipc-message.ts'
import { schemaFromWire } from './arrow/schema-from-wire.ts'
import { resolveValueOptions, type ValueModes } from './arrow/value-options.ts'
import { type IngestTable, ingestRequests } from './calls/bulk-ingest.ts'
import {
  type BlockRow,
  findProcess,
  type ProcessRow,
  queryBlocks,
  querySpans,
  queryStreams,
  type SpanRow,
  type StreamFilter,
  type StreamRow,
} from './calls/catalog.ts'
import type { IpcSource } from './calls/ipc-splitter.ts'
import {
  buildPartitions,
  listPartitions,
  type Partition,
  type ProgressMessage,
  retirePartitions,
} from './calls/partitions.ts'
import type { PreparedStatement } from './calls/prepared-statement.ts'
import { type ProcessTrace, type ProcessTraceOptions, writeProcessTrace } from './calls/process-trace.ts'
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
import {
  prepareAction,
  queryTicket,
  readFlightData,
  readPrepared,
  readRecordCount,
} from './flight/flight-messages.ts'
import { QueryError } from './query-error.ts'
import { type ArrowTable, loadArrow } from './results/arrow-table.ts'
import { type BatchStream, DecodedStream } from './results/batch-stream.ts'
import { BufferedResult, type QueryResult } from './results/query-result.ts'
import { formatNanoseconds, resolveRange, type Time, type TimeRange } from './time.ts'

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

  /**
   * Puts rows into a table of the server as they are: for copying between deployments. Needs an administrator.
   *
   * @param data - An Arrow IPC stream, whole or in pieces (what `queryIpc` gives); its columns have to be the table's. Each
   * batch is a message, of at most `maxMessageBytes`.
   * @returns How many rows the server took.
   * @throws {@link QueryError} `PERMISSION_DENIED` for others; `TypeError` when `data` is no IPC stream.
   */
  async bulkIngest(
    table: IngestTable,
    data: IpcSource,
    options: CallOptions = {},
  ): Promise<{ readonly recordCount: bigint }> {
    const what = `ingest into ${table}`
    const call = this.#callOptions(what, {}, options)
    const requests = ingestRequests(table, data, this.#config.connection.maxMessageBytes)
    let recordCount: bigint | undefined
    for await (const result of this.#calls.call('DoPut', requests, call))
      recordCount = readRecordCount(result)
    if (recordCount !== undefined) return { recordCount }
    throw new QueryError('DATA_LOSS', `Cannot ${what}: the server does not say how many rows it took`)
  }

  /** What the server has stored of its views. @throws As {@link query}. */
  listPartitions(
    options: CallOptions & { readonly viewSetName?: string | undefined } = {},
  ): Promise<QueryResult<Partition>> {
    return listPartitions(this, options)
  }

  /**
   * Removes stored partitions whose insert times lie in a range. Needs an administrator. The work begins with the iteration
   * and ends with it: leave it only when it is over.
   *
   * @returns What the server says while it works.
   * @throws As {@link queryStream}.
   */
  retirePartitions(
    viewSetName: string,
    viewInstanceId: string,
    begin: Time,
    end: Time,
    options: CallOptions = {},
  ): AsyncGenerator<ProgressMessage, void, undefined> {
    return retirePartitions(this, viewSetName, viewInstanceId, { begin, end }, options)
  }

  /**
   * Has the server build partitions of a view for a range of insert times, so that queries find them. Needs an
   * administrator. The work begins with the iteration and ends with it.
   *
   * @param deltaSeconds - How long a partition is: 3,600 for hours, 86,400 for days.
   * @returns What the server says while it works.
   * @throws As {@link queryStream}; `RangeError` for a `deltaSeconds` that is no whole number from 1.
   */
  materializePartitions(
    viewSetName: string,
    begin: Time,
    end: Time,
    deltaSeconds: number,
    options: CallOptions = {},
  ): AsyncGenerator<ProgressMessage, void, undefined> {
    return buildPartitions(this, 'materialize', viewSetName, { begin, end }, deltaSeconds, options)
  }

  /**
   * As {@link materializePartitions}, for partitions that exist: they are built anew though they are up to date. The range
   * has to be made of whole partitions.
   */
  regeneratePartitions(
    viewSetName: string,
    begin: Time,
    end: Time,
    deltaSeconds: number,
    options: CallOptions = {},
  ): AsyncGenerator<ProgressMessage, void, undefined> {
    return buildPartitions(this, 'regenerate', viewSetName, { begin, end }, deltaSeconds, options)
  }

  /** A process by its id; `undefined` when there is none. @throws As {@link query}. */
  findProcess(processId: string, options: QueryOptions = {}): Promise<ProcessRow | undefined> {
    return findProcess(this, processId, options)
  }

  /** Streams, of one process or with one tag. @throws As {@link query}. */
  queryStreams(options: StreamFilter & QueryOptions = {}): Promise<QueryResult<StreamRow>> {
    return queryStreams(this, options)
  }

  /** The blocks of a stream. @throws As {@link query}. */
  queryBlocks(streamId: string, options: QueryOptions = {}): Promise<QueryResult<BlockRow>> {
    return queryBlocks(this, streamId, options)
  }

  /** The spans of a thread's stream (its tag is `cpu`) in a range, which servers want here. @throws As {@link query}. */
  querySpans(
    streamId: string,
    range: TimeRange,
    options: Omit<QueryOptions, 'begin' | 'end' | 'range'> = {},
  ): Promise<QueryResult<SpanRow>> {
    return querySpans(this, streamId, { ...options, range })
  }

  /** See the function {@link writeProcessTrace}. */
  writeProcessTrace(
    processId: string,
    file: string,
    options: ProcessTraceOptions = {},
  ): Promise<ProcessTrace> {
    return writeProcessTrace(this, processId, file, options)
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
