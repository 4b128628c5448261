import type { Row } from '../arrow/batch.ts'
import type { CallOptions, QueryOptions } from '../client-options.ts'
import type { QueryResult } from '../results/query-result.ts'
import { sql } from '../sql.ts'
import { formatNanoseconds, type Time, toNanoseconds } from '../time.ts'

/** A part of a view that the server has stored: what it holds of one span of insert time. Times and counts are exact. */
export interface Partition {
  readonly view_set_name: string
  readonly view_instance_id: string
  readonly begin_insert_time: bigint
  readonly end_insert_time: bigint
  readonly min_event_time: bigint | null
  readonly max_event_time: bigint | null
  readonly updated: bigint
  readonly file_path: string | null
  readonly file_size: bigint
  readonly file_schema_hash: Uint8Array
  readonly source_data_hash: Uint8Array
  readonly num_rows: bigint
  readonly partition_format_version: number
}

/** A line of what an administrative call is doing. */
export interface ProgressMessage {
  /** Nanoseconds since the epoch. */
  readonly time: bigint
  readonly msg: string
}

/** What these calls need of a client. */
export interface Querier {
  query<T extends object = Row>(sql: string, options?: QueryOptions): Promise<QueryResult<T>>
  queryRows<T extends object = Row>(sql: string, options?: QueryOptions): AsyncGenerator<T, void, undefined>
}

interface Bounds {
  readonly begin: Time
  readonly end: Time
}

const EXACT = { int64: 'bigint', timestamps: 'bigint' } as const

export function listPartitions(
  client: Querier,
  { viewSetName, ...options }: CallOptions & { readonly viewSetName?: string | undefined },
): Promise<QueryResult<Partition>> {
  const all = 'SELECT * FROM list_partitions()'
  const text = viewSetName === undefined ? all : all + sql` WHERE view_set_name = ${viewSetName}`
  return client.query<Partition>(text, { ...options, ...EXACT })
}

export function retirePartitions(
  client: Querier,
  viewSetName: string,
  viewInstanceId: string,
  range: Bounds,
  options: CallOptions,
): AsyncGenerator<ProgressMessage, void, undefined> {
  const [begin, end] = bounds(range)
  const text = sql`SELECT time, msg FROM retire_partitions(${viewSetName}, ${viewInstanceId}, ${begin}, ${end})`
  return client.queryRows<ProgressMessage>(text, { ...options, ...EXACT })
}

export function buildPartitions(
  client: Querier,
  how: 'materialize' | 'regenerate',
  viewSetName: string,
  range: Bounds,
  deltaSeconds: number,
  options: CallOptions,
): AsyncGenerator<ProgressMessage, void, undefined> {
  if (!Number.isSafeInteger(deltaSeconds) || deltaSeconds < 1) {
    throw new RangeError(
      'Cannot use the length of partitions: expected a whole number of seconds, at least 1',
    )
  }
  const [begin, end] = bounds(range)
  const text =
    how === 'materialize'
      ? sql`SELECT time, msg FROM materialize_partitions(${viewSetName}, ${begin}, ${end}, ${deltaSeconds})`
      : sql`SELECT time, msg FROM regenerate_partitions(${viewSetName}, ${begin}, ${end}, ${deltaSeconds})`
  return client.queryRows<ProgressMessage>(text, { ...options, ...EXACT })
}

/** Both ends as these functions take them: text. Times ago count from one moment. */
function bounds(range: Bounds): [string, string] {
  const now = BigInt(Date.now()) * 1_000_000n
  const begin = toNanoseconds(range.begin, 'the begin of the partitions', now)
  const end = toNanoseconds(range.end, 'the end of the partitions', now)
  if (begin > end) throw new RangeError('Cannot use the range of the partitions: it begins after its end')
  return [formatNanoseconds(begin), formatNanoseconds(end)]
}
