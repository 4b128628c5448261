import type { QueryOptions } from '../client-options.ts'
import type { QueryResult } from '../results/query-result.ts'
import { sql } from '../sql.ts'
import type { Querier } from './partitions.ts'

/** A process that sent telemetry. Times and ticks have these types unless `timestamps` and `int64` say otherwise. */
export interface ProcessRow {
  readonly process_id: string
  readonly exe: string
  readonly username: string
  readonly realname: string
  readonly computer: string
  readonly distro: string
  readonly cpu_brand: string
  readonly tsc_frequency: bigint
  readonly start_time: bigint
  readonly start_ticks: bigint
  readonly insert_time: bigint
  readonly parent_process_id: string | null
  readonly properties: Readonly<Record<string, string>>
  readonly last_update_time: bigint
}

/** A stream of a process. */
export interface StreamRow {
  readonly stream_id: string
  readonly process_id: string
  readonly tags: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly insert_time: bigint
  readonly last_update_time: bigint
}

/** A block of a stream. It also has columns of its stream and its process: `streams.…`, `processes.…`. */
export interface BlockRow {
  readonly block_id: string
  readonly stream_id: string
  readonly process_id: string
  readonly begin_time: bigint
  readonly begin_ticks: bigint
  readonly end_time: bigint
  readonly end_ticks: bigint
  readonly nb_objects: number
  readonly object_offset: bigint
  readonly payload_size: bigint
  readonly insert_time: bigint
}

/** A thread span. */
export interface SpanRow {
  readonly id: bigint
  /** `-1n` when there is none. */
  readonly parent: bigint
  readonly depth: number
  readonly hash: number
  readonly begin: bigint
  readonly end: bigint
  /** Nanoseconds. */
  readonly duration: bigint
  readonly name: string
  readonly target: string
  readonly filename: string
  readonly line: number
}

/** Which streams are meant. */
export interface StreamFilter {
  readonly processId?: string | undefined
  /** `log`, `metrics`, `cpu`, `image`. */
  readonly tag?: string | undefined
}

export async function findProcess(
  client: Querier,
  processId: string,
  options: QueryOptions,
): Promise<ProcessRow | undefined> {
  const text = sql`SELECT * FROM processes WHERE process_id = ${processId}`
  return (await client.query<ProcessRow>(text, options)).rows[0]
}

export function queryStreams(
  client: Querier,
  { processId, tag, ...options }: StreamFilter & QueryOptions,
): Promise<QueryResult<StreamRow>> {
  const conditions = [
    ...(processId === undefined ? [] : [sql`process_id = ${processId}`]),
    ...(tag === undefined ? [] : [sql`array_has(tags, ${tag})`]),
  ]
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  return client.query<StreamRow>(`SELECT * FROM streams${where}`, options)
}

export function queryBlocks(
  client: Querier,
  streamId: string,
  options: QueryOptions,
): Promise<QueryResult<BlockRow>> {
  return client.query<BlockRow>(sql`SELECT * FROM blocks WHERE stream_id = ${streamId}`, options)
}

export function querySpans(
  client: Querier,
  streamId: string,
  options: QueryOptions,
): Promise<QueryResult<SpanRow>> {
  return client.query<SpanRow>(sql`SELECT * FROM view_instance('thread_spans', ${streamId})`, options)
}
