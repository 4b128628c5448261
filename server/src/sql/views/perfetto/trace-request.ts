import type { TimeRange } from '../../../nanoseconds.ts'
import type { Connection } from '../../../tables/database.ts'
import type { SpanTypes } from '../process-spans.ts'

/** What is shown besides spans. */
export type TraceEvents = 'logs' | 'metrics' | 'both' | 'none'

/** A trace that was asked for, with the SQL of what goes into it. */
export interface TraceRequest {
  /** Tables of the query's own begin with it. */
  readonly name: string
  readonly processId: string
  readonly types: SpanTypes
  readonly range: TimeRange
  /** `process_spans`, `log_entries` and `measures` of the process, numbers instead of texts; undefined if left out. */
  readonly spans: string
  readonly logs: string | undefined
  readonly measures: string | undefined
  /** Threads by the numbers of the streams of spans that they write. */
  readonly threads: ReadonlyMap<number, { readonly streamId: string; readonly name: string }>
  readonly signal: AbortSignal
}

/** Rows read at a time: as many as the database itself has in hand. */
const PAGE_ROWS = 2048

/**
 * The rows of a table of one's own, in the order of its column `n`, which counts from 1. Between pages the connection is free.
 *
 * @param sql - The rows whose `n` is above the first number and at most the second.
 */
export async function* pages(
  connection: Connection,
  signal: AbortSignal,
  count: number,
  sql: (after: number, last: number) => string,
): AsyncGenerator<unknown[][], void, undefined> {
  for (let after = 0; after < count; after += PAGE_ROWS) {
    signal.throwIfAborted()
    yield await connection.all(sql(after, after + PAGE_ROWS))
  }
}

export async function countRows(connection: Connection, table: string): Promise<number> {
  const [row] = await connection.all(`SELECT count(*) FROM ${table}`)
  return Number(row![0])
}
