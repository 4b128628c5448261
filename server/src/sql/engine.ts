import type { InventoryChange } from '../tables/decode/block-source.ts'
import type { IpcMessage } from './arrow/ipc.ts'
import type { Field } from './types/arrow-type.ts'

export interface SqlCaller {
  /** Administrators have the functions that change partitions. */
  readonly admin: boolean
  /** For the audit line; the engine itself does not look at it. */
  readonly user?: string | undefined
}

export interface SqlRequest {
  readonly sql: string
  /** What the query is called in the audit line. @defaultValue a new UUID */
  readonly queryId?: string | undefined
  /** Nanoseconds since the Unix epoch, both ends included: a filter on the rows of each view, see the docs. */
  readonly range?: { readonly beginNs: bigint; readonly endNs: bigint } | undefined
  /** Most rows of the answer. */
  readonly limit?: number | undefined
  /** Whether dictionary columns are sent as such. @defaultValue `false` */
  readonly preserveDictionary?: boolean | undefined
  readonly caller: SqlCaller
  /** Stops the query; its answer then ends with an error `CANCELLED`. */
  readonly signal?: AbortSignal | undefined
}

/** An answer that is being computed. */
export interface SqlAnswer {
  readonly fields: readonly Field[]
  /** The first message of the answer. */
  readonly schema: IpcMessage
  /**
   * Each item is a batch of rows: dictionaries it needs, then the rows. To be read to its end or given up by `return()`,
   * which a `for await` does; until then the query holds one of the few places there are.
   */
  readonly batches: AsyncIterable<SqlBatch>
}

export interface SqlBatch {
  readonly rowCount: number
  readonly messages: readonly IpcMessage[]
}

/** Bytes of a batch on their way to a client. */
export function batchBytes({ messages }: SqlBatch): number {
  return messages.reduce((sum, { header, body }) => sum + header.length + body.length, 0)
}

/** What there is to say of a query when it has ended. */
export interface QueryAudit {
  readonly queryId: string
  readonly sql: string
  readonly user: string | undefined
  readonly rows: number
  readonly bytes: number
  /** Milliseconds waiting for a place, and from then to the end. */
  readonly waitedMs: number
  readonly durationMs: number
  /** The name of the error's code; `undefined` when there was none. */
  readonly error: string | undefined
}

/**
 * Answers SQL over the telemetry of a store.
 *
 * Queries are those of a Micromegas deployment: same views, functions, types and names.
 */
export interface SqlEngine {
  /**
   * Answers a query.
   *
   * @throws {@link SqlError} for what is wrong with the query; errors while rows are computed come from the batches.
   */
  query(request: SqlRequest): Promise<SqlAnswer>
  /** The columns that a query would answer with; nothing is computed. */
  prepare(sql: string, caller: SqlCaller): Promise<Pick<SqlAnswer, 'fields' | 'schema'>>
  /** Tells what was stored or deleted since. */
  notify(change: InventoryChange): void
  close(): Promise<void>
}
