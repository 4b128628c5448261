import type { Connection, Database } from '../tables/database.ts'
import type { Tables } from '../tables/tables.ts'
import { BatchMaker } from './arrow/columns.ts'
import { batchMessages } from './arrow/ipc.ts'
import { arrowSchema } from './arrow/to-arrow.ts'
import { duckError } from './duck-error.ts'
import type { SqlBatch } from './engine.ts'
import { quote } from './plan/expression/expr.ts'
import type { Plan } from './plan/query/statement.ts'
import { SqlError } from './sql-error.ts'
import { duckType } from './types/duck-type.ts'
import type { Preparations } from './views/session-plan.ts'

export interface RunOptions {
  readonly plan: Plan
  readonly preparations: Preparations
  readonly limit: number | undefined
  readonly preserveDictionary: boolean
  readonly signal: AbortSignal
}

/** Runs a planned query on a connection of its own, in a transaction that cannot write. */
export async function* runQuery(
  database: Database,
  tables: Tables,
  options: RunOptions,
): AsyncGenerator<SqlBatch, void, undefined> {
  const { plan, preparations, limit, preserveDictionary, signal } = options
  const connection = await database.connect()
  const stop = (): void => connection.interrupt()
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    await prepare(connection, tables, preparations, signal)
    await connection.run('BEGIN TRANSACTION READ ONLY')
    signal.throwIfAborted()
    const sql = await outerSql(plan, limit, connection)
    const schema = arrowSchema(plan.fields, preserveDictionary)
    const maker = new BatchMaker(schema, plan.fields)
    const stream = await connection.stream(sql)
    for (;;) {
      signal.throwIfAborted()
      const chunk = await stream.next()
      if (chunk === undefined) break
      yield { rowCount: chunk.rowCount, messages: batchMessages(maker.batch(chunk)) }
    }
    signal.throwIfAborted()
  } catch (error) {
    throw signal.aborted ? abortError(signal) : duckError(error)
  } finally {
    signal.removeEventListener('abort', stop)
    connection.close()
  }
}

/** Why a query was stopped: what the signal was aborted with, where that says so itself. */
export function abortError(signal: AbortSignal): SqlError {
  return signal.reason instanceof SqlError
    ? signal.reason
    : new SqlError('CANCELLED', 'The query was cancelled', { stage: 'stream', cause: signal.reason })
}

async function prepare(
  connection: Connection,
  tables: Tables,
  preparations: Preparations,
  signal: AbortSignal,
): Promise<void> {
  for (const need of preparations.needs) await tables.ensure(need, signal)
  if (preparations.payloadSizes) await tables.ensurePayloadSizes()
  for (const step of preparations.steps) await step(connection, signal)
}

async function outerSql(plan: Plan, limit: number | undefined, connection: Connection): Promise<string> {
  if (plan.explain !== undefined) return explainSql(plan, connection)
  const list = plan.fields.map(({ type }, i) => `CAST(c${i} AS ${duckType(type)}) AS c${i}`)
  const columns = list.length > 0 ? list.join(', ') : 'NULL AS c0'
  return `SELECT ${columns} FROM (${plan.sql})${limit === undefined ? '' : ` LIMIT ${limit}`}`
}

/** The database's own plan, under the names of the reference's columns. */
async function explainSql(plan: Plan, connection: Connection): Promise<string> {
  const rows = await connection.all(`EXPLAIN ${plan.explain === 'analyze' ? 'ANALYZE ' : ''}${plan.sql}`)
  const text = rows.map((row) => String(row[1])).join('\n')
  const names = plan.explain === 'analyze' ? ['Plan with Metrics'] : ['logical_plan', 'physical_plan']
  return `SELECT c0, c1 FROM (VALUES ${names.map((name) => `(${quote(name)}, ${quote(text)})`).join(', ')}) AS t(c0, c1)`
}
