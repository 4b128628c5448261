import { randomUUID } from 'node:crypto'
import type { TimeRange } from '../nanoseconds.ts'
import { Database } from '../tables/database.ts'
import type { BlockSource, InventoryChange } from '../tables/decode/block-source.ts'
import { Tables } from '../tables/tables.ts'
import { schemaMessage } from './arrow/ipc.ts'
import { arrowSchema } from './arrow/to-arrow.ts'
import {
  batchBytes,
  type QueryAudit,
  type SqlAnswer,
  type SqlBatch,
  type SqlCaller,
  type SqlEngine,
  type SqlRequest,
} from './engine.ts'
import { firstEnough, within } from './first-enough.ts'
import { JS_FUNCTIONS } from './js-functions.ts'
import { macroStatements } from './macros/index.ts'
import { loadParser } from './plan/parse.ts'
import { Planner } from './plan/planner.ts'
import { type Plan, planStatement } from './plan/query/statement.ts'
import { QueryGate } from './query-gate.ts'
import { abortError, runQuery } from './run-query.ts'
import { SqlError } from './sql-error.ts'
import { PartitionActions } from './views/admin/partition-actions.ts'
import { ServerCatalog } from './views/catalog.ts'
import { noPreparations, type Preparations } from './views/session-plan.ts'
import { WarmViews } from './warm-views.ts'

export interface EngineOptions {
  /** Path of the database; `undefined` keeps it in memory. Whatever it holds can be made anew from the source. */
  readonly databasePath?: string | undefined
  /** Where what does not fit into memory goes; `undefined` for nowhere. */
  readonly tempDirectory?: string | undefined
  readonly memoryLimitBytes: number
  readonly threads: number
  /** Longest time of a query, from when it has a place to its last row, in milliseconds. */
  readonly queryTimeoutMs: number
  /** Queries at a time; others wait. */
  readonly maxConcurrentQueries: number
  readonly warn: (message: string) => void
  /** Called once for each query that has ended. */
  readonly audit?: ((audit: QueryAudit) => void) | undefined
  /** Milliseconds since the Unix epoch. */
  readonly wallClock?: (() => number) | undefined
}

/** The engine in the thread that calls it. */
export class LocalEngine implements SqlEngine {
  readonly #database: Database
  readonly #tables: Tables
  readonly #options: EngineOptions
  readonly #gate: QueryGate
  readonly #wallClock: () => number
  readonly #admin: PartitionActions
  readonly #warmth: WarmViews

  private constructor(database: Database, tables: Tables, options: EngineOptions) {
    this.#database = database
    this.#tables = tables
    this.#options = options
    this.#gate = new QueryGate(options.maxConcurrentQueries)
    this.#wallClock = options.wallClock ?? Date.now
    this.#admin = new PartitionActions(tables, this.#wallClock)
    this.#warmth = new WarmViews(tables, this.#wallClock, options.warn)
  }

  /**
   * Opens the engine over a store.
   *
   * @param discard - Deletes the database's files, when they are of another version or cannot be opened.
   */
  static async open(
    source: BlockSource,
    options: EngineOptions,
    discard: () => Promise<void> = async () => undefined,
  ): Promise<LocalEngine> {
    await loadParser()
    const opened =
      (await openTables(source, options).catch((error: unknown) => {
        if (options.databasePath === undefined) throw error
        options.warn(`Cannot open ${options.databasePath}: ${reason(error)}; it is made anew`)
        return undefined
      })) ?? (await discard().then(() => openTables(source, options)))
    if (opened === undefined) throw new Error(`Cannot open ${options.databasePath}: it is of another version`)
    return new LocalEngine(opened.database, opened.tables, options)
  }

  async query(request: SqlRequest): Promise<SqlAnswer> {
    const { signal: given, preserveDictionary = false, limit } = request
    const audit = new Audit(request, this.#wallClock, this.#options.audit)
    const timeout = new AbortController()
    const signal = given === undefined ? timeout.signal : AbortSignal.any([given, timeout.signal])
    let timer: NodeJS.Timeout | undefined
    let release: (() => void) | undefined
    const end = (error?: unknown): void => {
      clearTimeout(timer)
      release?.()
      audit.end(error)
    }
    try {
      // What was stored before the question is in the answer.
      await this.#tables.changesApplied()
      const nowNs = this.#nowNs()
      const planned = this.#plan(request, nowNs)
      const { plan, preparations } = planned
      for (const { viewSet } of preparations.needs) this.#warmth.touch(viewSet)
      release = await this.#gate.enter(signal)
      audit.start()
      timer = setTimeout(
        () => timeout.abort(timeoutError(this.#options.queryTimeoutMs)),
        this.#options.queryTimeoutMs,
      )
      timer.unref()
      const run = ({ plan, preparations }: Planned): AsyncGenerator<SqlBatch, void, undefined> =>
        runQuery(this.#database, this.#tables, { plan, preparations, limit, preserveDictionary, signal })
      const windows = this.#windows(planned)
      const rows = firstEnough(
        windows.map(
          (range) => () => run(this.#plan({ ...request, range: within(range, request.range) }, nowNs)),
        ),
        Math.min(plan.top?.limit ?? 0, limit ?? Number.POSITIVE_INFINITY),
        () => run(planned),
      )
      const schema = schemaMessage(arrowSchema(plan.fields, preserveDictionary))
      return { fields: plan.fields, schema, batches: watched(rows, audit, end) }
    } catch (error) {
      const shown = signal.aborted ? abortError(signal) : error
      end(shown)
      throw shown
    }
  }

  async prepare(sql: string, caller: SqlCaller): Promise<Pick<SqlAnswer, 'fields' | 'schema'>> {
    await this.#tables.changesApplied()
    const { plan } = this.#plan({ sql, caller, range: PLANNING_RANGE }, this.#nowNs())
    return { fields: plan.fields, schema: schemaMessage(arrowSchema(plan.fields, true)) }
  }

  notify(change: InventoryChange): void {
    this.#tables.change(change).then(
      () => this.#warmth.changed(),
      (error: unknown) => this.#options.warn(`Cannot take up what was stored: ${reason(error)}`),
    )
  }

  async close(): Promise<void> {
    await this.#gate.close()
    await this.#warmth.close()
    await this.#tables.close()
    this.#database.close()
  }

  #nowNs(): bigint {
    return BigInt(Math.trunc(this.#wallClock() * 1000)) * 1000n
  }

  /** Parts of the time in which all rows of an answer may be, so that the rest need not be read nor decoded. */
  #windows({ plan: { top }, preparations: { needs } }: Planned): TimeRange[] {
    const [need] = needs
    if (top === undefined || need === undefined || top.limit === 0) return []
    const rows = top.limit + top.offset
    if (rows > MAX_HELD_ROWS) return []
    return this.#tables.needed.timeWindows(
      need,
      top.direction,
      Math.max(MIN_WINDOW_EVENTS, rows * WINDOW_EVENTS_PER_ROW),
    )
  }

  #plan(request: Pick<SqlRequest, 'sql' | 'range' | 'caller'>, nowNs: bigint): Planned {
    const preparations = noPreparations()
    const catalog = new ServerCatalog({
      tables: this.#tables,
      range: request.range,
      isAdmin: request.caller.admin,
      admin: this.#admin,
      preparations,
    })
    const planner = new Planner(catalog, nowNs)
    return { plan: planStatement(request.sql, planner), preparations }
  }
}

interface Planned {
  readonly plan: Plan
  readonly preparations: Preparations
}

/** Rows that are kept until it is known whether they are enough. */
const MAX_HELD_ROWS = 20_000
/** Events of a first part of the time: for each row that is asked for, as conditions leave out others, and at least. */
const WINDOW_EVENTS_PER_ROW = 4
const MIN_WINDOW_EVENTS = 10_000

/** A prepared statement has no range yet, and no view that wants one is read. */
const PLANNING_RANGE = { beginNs: 0n, endNs: 0n }

async function openTables(
  source: BlockSource,
  options: EngineOptions,
): Promise<{ database: Database; tables: Tables } | undefined> {
  const database = await Database.open({
    path: options.databasePath,
    tempDirectory: options.tempDirectory,
    memoryLimitBytes: options.memoryLimitBytes,
    threads: options.threads,
  })
  try {
    await database.register(JS_FUNCTIONS)
    const connection = await database.connect()
    for (const statement of macroStatements()) await connection.run(statement)
    connection.close()
    const tables = await Tables.open(database, source, {
      warn: options.warn,
      wallClock: options.wallClock ?? Date.now,
    })
    if (tables !== undefined) {
      await database.lock()
      return { database, tables }
    }
  } catch (error) {
    database.close()
    throw error
  }
  database.close()
  return undefined
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function timeoutError(limitMs: number): SqlError {
  return new SqlError('DEADLINE_EXCEEDED', `The query took longer than ${limitMs / 1000} s`, {
    stage: 'stream',
  })
}

async function* watched(
  rows: AsyncGenerator<SqlBatch, void, undefined>,
  audit: Audit,
  end: (error?: unknown) => void,
): AsyncGenerator<SqlBatch, void, undefined> {
  let failure: unknown
  try {
    for await (const batch of rows) {
      audit.count(batch)
      yield batch
    }
  } catch (error) {
    failure = error
    throw error
  } finally {
    end(failure)
  }
}

/** Keeps count of one query. */
class Audit {
  readonly #request: SqlRequest
  readonly #clock: () => number
  readonly #report: ((audit: QueryAudit) => void) | undefined
  readonly #queryId: string
  readonly #askedMs: number
  #startedMs: number
  #rows = 0
  #bytes = 0
  #ended = false

  constructor(request: SqlRequest, clock: () => number, report: ((audit: QueryAudit) => void) | undefined) {
    this.#request = request
    this.#clock = clock
    this.#queryId = request.queryId ?? randomUUID()
    this.#report = report
    this.#askedMs = clock()
    this.#startedMs = this.#askedMs
  }

  start(): void {
    this.#startedMs = this.#clock()
  }

  count(batch: SqlBatch): void {
    this.#rows += batch.rowCount
    this.#bytes += batchBytes(batch)
  }

  end(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    const { sql, caller } = this.#request
    this.#report?.({
      queryId: this.#queryId,
      sql,
      user: caller.user,
      rows: this.#rows,
      bytes: this.#bytes,
      waitedMs: this.#startedMs - this.#askedMs,
      durationMs: this.#clock() - this.#startedMs,
      error: error === undefined ? undefined : error instanceof SqlError ? error.code : 'INTERNAL',
    })
  }
}
