import { randomUUID } from 'node:crypto'
import { type Metadata, status } from '@grpc/grpc-js'
import { type RecordBatch, RecordBatchReader } from 'apache-arrow'
import type { Identity } from '../auth/identity.ts'
import { type BulkIngest, RowsRefused } from '../replicate/bulk-ingest.ts'
import { encapsulate } from '../sql/arrow/encapsulate.ts'
import type { SqlEngine } from '../sql/engine.ts'
import { readRows } from '../sql/read-rows.ts'
import { SqlError } from '../sql/sql-error.ts'
import { callerName, readSettings } from './call-metadata.ts'
import { catalogsBatch, schemasBatch, sqlInfoBatch, tablesBatch, tableTypesBatch } from './catalog-batches.ts'
import { FlightError } from './flight-error.ts'
import {
  actionType,
  type FlightCommand,
  flightData,
  flightInfo,
  prepareResult,
  putResult,
  readAction,
  readCommand,
  readDescriptor,
  readFlightData,
  readPrepareRequest,
  readTicket,
  schemaResult,
  statementTicket,
} from './messages.ts'

/** One call, by whom and with what. */
export interface FlightCall {
  readonly metadata: Metadata
  readonly identity: Identity
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal
}

const READ_TABLES = 'SELECT DISTINCT table_name FROM information_schema.tables ORDER BY table_name'

/** What the FlightSQL service answers, apart from how it is carried. */
export class FlightCalls {
  readonly #engine: SqlEngine
  readonly #bulk: Pick<BulkIngest, 'ingest'>

  constructor(engine: SqlEngine, bulk: Pick<BulkIngest, 'ingest'>) {
    this.#engine = engine
    this.#bulk = bulk
  }

  /** The messages of a DoGet. */
  async *doGet(request: Uint8Array, call: FlightCall): AsyncGenerator<Buffer, void, undefined> {
    const command = commandOf(readTicket(request), 'ticket')
    if (command.kind === 'statement') {
      yield* this.#statement(command.sql, call)
      return
    }
    for (const message of await this.#catalog(command, call)) yield flightData(message)
  }

  /** Where to get what a descriptor asks for. Nothing is planned: the SQL is looked at when it runs. */
  getFlightInfo(request: Uint8Array): Buffer {
    const bytes = readDescriptor(request)
    const command = commandOf(bytes, 'descriptor')
    if (command.kind === 'statement') return flightInfo(undefined, request, statementTicket(command.sql))
    if (command.kind === 'unknown' || command.kind === 'ingest') throw unimplemented(command)
    return flightInfo(undefined, request, bytes as Uint8Array)
  }

  async getSchema(request: Uint8Array, call: FlightCall): Promise<Buffer> {
    const command = commandOf(readDescriptor(request), 'descriptor')
    if (command.kind !== 'statement') throw unimplemented(command)
    const { schema } = await this.#engine.prepare(command.sql, callerOf(call))
    return schemaResult(encapsulate(schema, false))
  }

  async *doAction(request: Uint8Array, call: FlightCall): AsyncGenerator<Buffer, void, undefined> {
    const action = readAction(request)
    switch (action?.type) {
      case 'CreatePreparedStatement': {
        const sql = readPrepareRequest(action.body)
        if (sql === undefined) throw new FlightError(status.INVALID_ARGUMENT, 'Unable to unpack the request')
        const { schema } = await this.#engine.prepare(sql, callerOf(call)).catch((error: unknown) => {
          throw named(error, randomUUID())
        })
        yield prepareResult(sql, encapsulate(schema, true))
        return
      }
      case 'ClosePreparedStatement':
        return
      default:
        throw new FlightError(status.UNIMPLEMENTED, `action ${action?.type ?? ''} is not implemented`)
    }
  }

  /** Takes the rows of a DoPut, for administrators: they write what services do, under any id. */
  async *doPut(requests: AsyncIterable<Uint8Array>, call: FlightCall): AsyncGenerator<Buffer> {
    const messages = requests[Symbol.asyncIterator]()
    const first = await nextMessage(messages)
    const command = commandOf(
      first?.descriptor === undefined ? undefined : readDescriptor(first.descriptor),
      'descriptor',
    )
    if (command.kind !== 'ingest') throw unimplemented(command)
    if (!call.identity.admin)
      throw new FlightError(status.PERMISSION_DENIED, 'bulk_ingest requires admin privileges')
    try {
      const batches = readBatches(streamOf(first, messages))
      yield putResult(await this.#bulk.ingest(command.table, batches))
    } catch (error) {
      if (error instanceof RowsRefused)
        throw new FlightError(error.isFinal ? status.INVALID_ARGUMENT : status.UNAVAILABLE, error.message)
      throw error
    }
  }

  *listActions(): Generator<Buffer, void, undefined> {
    yield actionType('CreatePreparedStatement', 'Plans a statement and gives its schema.')
    yield actionType('ClosePreparedStatement', 'Does nothing: a prepared statement is its text.')
  }

  async *#statement(sql: string, call: FlightCall): AsyncGenerator<Buffer, void, undefined> {
    const { range, limit, preserveDictionary } = readSettings(call.metadata)
    const queryId = randomUUID()
    try {
      const answer = await this.#engine.query({
        sql,
        queryId,
        range,
        limit,
        preserveDictionary,
        caller: callerOf(call),
        signal: call.signal,
      })
      yield flightData(answer.schema)
      for await (const { messages } of answer.batches)
        for (const message of messages) yield flightData(message)
    } catch (error) {
      throw named(error, queryId)
    }
  }

  async #catalog(command: FlightCommand, call: FlightCall): Promise<ReturnType<typeof catalogsBatch>> {
    switch (command.kind) {
      case 'tables':
        return this.#tables(command, call)
      case 'catalogs':
        return catalogsBatch()
      case 'schemas':
        return schemasBatch()
      case 'tableTypes':
        return tableTypesBatch()
      case 'sqlInfo':
        return sqlInfoBatch(command.infos)
      default:
        throw unimplemented(command)
    }
  }

  async #tables(
    command: Extract<FlightCommand, { kind: 'tables' }>,
    call: FlightCall,
  ): Promise<ReturnType<typeof tablesBatch>> {
    const caller = callerOf(call)
    const names = (await this.#tableNames(caller, call.signal)).filter(
      (name) =>
        matches(name, command.tablePattern) &&
        matches('', command.schemaPattern) &&
        (command.catalog ?? '') === '' &&
        (command.types.length === 0 || command.types.includes('table')),
    )
    const tables = []
    for (const name of names) {
      const schema = command.includeSchema
        ? encapsulate((await this.#engine.prepare(`SELECT * FROM "${name}"`, caller)).schema, false)
        : undefined
      tables.push({ name, schema })
    }
    return tablesBatch(tables, command.includeSchema)
  }

  async #tableNames(caller: ReturnType<typeof callerOf>, signal: AbortSignal): Promise<string[]> {
    const answer = await this.#engine.query({ sql: READ_TABLES, caller, signal })
    return (await readRows(answer)).map((row) => String(row.table_name))
  }
}

/** The error with the query's name in it, by which the server's log tells of it. */
function named(error: unknown, queryId: string): unknown {
  if (!(error instanceof SqlError)) return error
  return new FlightError(status[error.code], `${error.message} (query_id=${queryId})`, { cause: error })
}

type FlightData = NonNullable<ReturnType<typeof readFlightData>>

async function nextMessage(messages: AsyncIterator<Uint8Array>): Promise<FlightData | undefined> {
  const { value, done } = await messages.next()
  if (done === true) return undefined
  const data = readFlightData(value)
  if (data === undefined) throw new FlightError(status.INVALID_ARGUMENT, 'Unable to decode the FlightData')
  return data
}

/** The batches of a stream of Arrow messages. @throws {@link FlightError} `INVALID_ARGUMENT` for bytes that are none. */
async function* readBatches(stream: AsyncIterable<Uint8Array>): AsyncGenerator<RecordBatch> {
  try {
    const reader = await (await RecordBatchReader.from(stream)).open()
    // The library reads no bytes at all as a stream without columns.
    if ((reader.schema?.fields.length ?? 0) === 0) throw new Error('they have no schema')
    yield* reader
  } catch (error) {
    if (error instanceof FlightError) throw error
    const message = `the rows are no stream of Arrow messages: ${(error as Error).message}`
    throw new FlightError(status.INVALID_ARGUMENT, message, { cause: error })
  }
}

/** The stream of Arrow messages that FlightData came with. */
async function* streamOf(
  first: FlightData | undefined,
  messages: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (let data = first; data !== undefined; data = await nextMessage(messages)) {
    if (data.message.header.length > 0) yield encapsulate(data.message, false)
  }
}

function commandOf(bytes: Uint8Array | undefined, what: string): FlightCommand {
  const command = bytes === undefined ? undefined : readCommand(bytes)
  if (command === undefined) throw new FlightError(status.INVALID_ARGUMENT, `Unable to decode the ${what}`)
  return command
}

function callerOf({ metadata, identity }: FlightCall): { readonly admin: boolean; readonly user: string } {
  return { admin: identity.admin, user: callerName(metadata, identity) }
}

function unimplemented(command: FlightCommand): FlightError {
  const name = command.kind === 'unknown' ? command.name : command.kind
  return new FlightError(status.UNIMPLEMENTED, `${name} is not implemented`)
}

/** SQL's LIKE: `%` any text, `_` any character. */
function matches(text: string, pattern: string | undefined): boolean {
  if (pattern === undefined || pattern === '') return true
  const expression = pattern
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.')
  return new RegExp(`^${expression}$`, 's').test(text)
}
