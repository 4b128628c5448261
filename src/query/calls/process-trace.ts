import { open, rename, rm } from 'node:fs/promises'
import type { CallOptions } from '../client-options.ts'
import { QueryError } from '../query-error.ts'
import { rawSql, type SqlFragment, sql, timestamp } from '../sql.ts'
import { resolveRange, type TimeRange } from '../time.ts'
import type { Querier } from './partitions.ts'

/** What a trace holds, and how its writing is followed. */
export interface ProcessTraceOptions extends CallOptions {
  /** @defaultValue from the begin of the first block of the process to the end of its last */
  readonly range?: TimeRange | undefined
  /** @defaultValue `'both'` */
  readonly spans?: 'thread' | 'async' | 'both' | undefined
  /**
   * Whether the trace shows logs. Traces of `micromegas-server` do, those of a deployment never; `false`, here or for metrics, is
   * understood by `micromegas-server` only.
   *
   * @defaultValue `true`
   */
  readonly logs?: boolean | undefined
  /** Whether the trace shows metrics, as counters; as `logs`. @defaultValue `true` */
  readonly metrics?: boolean | undefined
  /** Called as the trace grows. */
  readonly onProgress?: ((progress: ProcessTrace) => void) | undefined
}

/** How much of a trace has been written. */
export interface ProcessTrace {
  readonly chunks: number
  readonly bytes: number
}

interface Chunk {
  readonly chunk_id: number
  readonly chunk_data: Uint8Array
}

/**
 * Writes a Perfetto trace of a process, to be opened at ui.perfetto.dev. The file appears when it is complete: an error or
 * an abort leaves what was there before.
 *
 * @throws {@link QueryError} `NOT_FOUND` when the process has no data, or no spans in the range; `DATA_LOSS` when a part of
 * the trace is missing; and as a query. Errors of the file system.
 */
export async function writeProcessTrace(
  client: Querier,
  processId: string,
  file: string,
  options: ProcessTraceOptions = {},
): Promise<ProcessTrace> {
  const { range, spans = 'both', logs = true, metrics = true, onProgress, ...call } = options
  if (!['thread', 'async', 'both'].includes(spans)) {
    throw new TypeError("Cannot use spans: expected 'thread', 'async' or 'both'")
  }
  const { begin, end } = resolveRange({ range }) ?? (await wholeLife(client, processId, call))
  const text = sql`SELECT chunk_id, chunk_data FROM perfetto_trace_chunks(${processId}, ${spans}, ${timestamp(begin)}, ${timestamp(end)}${besides(logs, metrics)})`
  const temporary = `${file}.${process.pid}.tmp`
  const handle = await open(temporary, 'w')
  let [chunks, bytes] = [0, 0]
  try {
    try {
      for await (const { chunk_id, chunk_data } of client.queryRows<Chunk>(text, { ...call, begin, end })) {
        if (chunk_id !== chunks) {
          throw new QueryError(
            'DATA_LOSS',
            `Cannot write the trace: chunk ${chunks} is missing (got ${chunk_id})`,
          )
        }
        await handle.writeFile(chunk_data)
        chunks++
        bytes += chunk_data.length
        onProgress?.({ chunks, bytes })
      }
      if (chunks === 0) {
        throw new QueryError(
          'NOT_FOUND',
          `Cannot write a trace of process ${processId}: it has no spans in this range`,
        )
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  return { chunks, bytes }
}

/** The argument that only `micromegas-server` knows; servers that do not are asked as ever. */
function besides(logs: boolean, metrics: boolean): SqlFragment {
  if (logs && metrics) return rawSql('')
  return rawSql(logs ? ", 'logs'" : metrics ? ", 'metrics'" : ", 'none'")
}

async function wholeLife(
  client: Querier,
  processId: string,
  options: CallOptions,
): Promise<{ readonly begin: bigint; readonly end: bigint }> {
  const columns = rawSql('min(begin_time) AS first_time, max(end_time) AS last_time')
  const { rows } = await client.query<{ first_time: bigint | null; last_time: bigint | null }>(
    sql`SELECT ${columns} FROM blocks WHERE process_id = ${processId}`,
    { ...options, timestamps: 'bigint' },
  )
  const { first_time: begin, last_time: end } = rows[0] ?? { first_time: null, last_time: null }
  if (begin === null || end === null) {
    throw new QueryError('NOT_FOUND', `Cannot write a trace of process ${processId}: it has no data`)
  }
  return { begin, end }
}
