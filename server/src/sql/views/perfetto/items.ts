import type { Connection } from '../../../tables/database.ts'
import { ColumnBuffer } from '../../../tables/decode/column-buffer.ts'
import { quote } from '../../plan/expression/expr.ts'
import { AsyncLanes } from './async-lanes.ts'
import { countRows, pages, type TraceRequest } from './trace-request.ts'

/** What an item of a trace is. */
export const THREAD_SPAN = 0
export const ASYNC_SPAN = 1
/** Of an async span that is in the trace. */
export const SPAN_LOG = 2
export const LOG = 3

/** Spans and logs in the order in which they are written, with the lanes of async spans and the arrows between spans. */
export interface Items {
  readonly count: number
  readonly lanes: AsyncLanes
  /** The name of each lane. */
  readonly laneNames: readonly string[]
}

/**
 * Makes the tables `_items`, `_placed` (the lane of an item) and `_arrows` (between two items). An arrow is to be written where it
 * begins, which is before one knows of it: so the lanes of all are found first.
 */
export async function prepareItems(connection: Connection, request: TraceRequest): Promise<Items> {
  const { name, signal } = request
  await connection.run(`CREATE TEMP TABLE ${name}_items AS ${itemsSql(request)}`)
  await connection.run(`CREATE TEMP TABLE ${name}_placed(n INTEGER, lane INTEGER)`)
  await connection.run(`CREATE TEMP TABLE ${name}_arrows(id INTEGER, source INTEGER, target INTEGER)`)
  const placed = new ColumnBuffer(`${name}_placed`, ['i32', 'i32'])
  const arrows = new ColumnBuffer(`${name}_arrows`, ['i32', 'i32', 'i32'])
  let arrowCount = 0
  const addArrow = (source: number, target: number): void => arrows.push(++arrowCount, source, target)
  const store = async (): Promise<void> => {
    for (const buffer of [placed, arrows]) {
      const { columns, rowCount } = buffer.take()
      if (rowCount > 0) await connection.append(buffer.table, columns, rowCount)
    }
  }
  const count = await countRows(connection, `${name}_items`)
  const lanes = new AsyncLanes()
  const laneNames: string[] = []
  const ofLanes = pages(
    connection,
    signal,
    count,
    (after, last) =>
      `SELECT n, kind, id, parent, b, e, name FROM ${name}_items WHERE n > ${after} AND n <= ${last} AND kind IN (${ASYNC_SPAN}, ${SPAN_LOG}) ORDER BY n`,
  )
  for await (const page of ofLanes) {
    for (const row of page) {
      const [n, kind, id, parent, beginNs, endNs] = row as [number, number, bigint, bigint, bigint, bigint]
      const found =
        kind === SPAN_LOG
          ? lanes.laneOfLog({ parent, timeNs: beginNs })
          : lanes.laneOf({ row: n, id, parent, beginNs, endNs, name: String(row[6]) })
      if (found === undefined) continue
      laneNames[found.lane.number] = found.lane.name
      placed.push(n, found.lane.number)
      if (found.arrowFrom !== undefined) addArrow(found.arrowFrom, n)
    }
    await store()
  }
  if (request.types === 'both') await threadArrows(connection, request, addArrow, store)
  return { count, lanes, laneNames }
}

/** Arrows to the async spans that a thread began within a span of its own: to each from the innermost. */
async function threadArrows(
  connection: Connection,
  { name, signal }: TraceRequest,
  addArrow: (source: number, target: number) => void,
  store: () => Promise<void>,
): Promise<void> {
  // Of what is told at one time nobody knows the order: a span is around what began after it only.
  await connection.run(
    `CREATE TEMP TABLE ${name}_begins AS SELECT CAST(row_number() OVER () AS INTEGER) AS n, * FROM (
       SELECT n AS item, kind, origin, b, e, id FROM ${name}_items WHERE kind = ${THREAD_SPAN}
       UNION ALL SELECT n, kind, origin, b, e, id FROM ${name}_items i WHERE kind = ${ASYNC_SPAN}
         AND origin IN (SELECT origin FROM ${name}_items WHERE kind = ${THREAD_SPAN})
       ORDER BY origin, b, kind DESC, item)`,
  )
  const count = await countRows(connection, `${name}_begins`)
  const begins = pages(
    connection,
    signal,
    count,
    (after, last) =>
      `SELECT item, kind, origin, b, e, id FROM ${name}_begins WHERE n > ${after} AND n <= ${last} ORDER BY n`,
  )
  let thread: unknown
  let open: { readonly item: number; readonly endNs: bigint; readonly id: bigint }[] = []
  for await (const page of begins) {
    for (const row of page) {
      const [item, kind, origin, beginNs, endNs, id] = row as [number, number, string, bigint, bigint, bigint]
      if (origin !== thread) {
        thread = origin
        open = []
      }
      while (open.length > 0 && open.at(-1)!.endNs <= beginNs) open.pop()
      if (kind === THREAD_SPAN) open.push({ item, endNs, id })
      // The span that stands for the whole thread says nothing.
      else if ((open.at(-1)?.id ?? -1n) >= 0n) addArrow(open.at(-1)!.item, item)
    }
    await store()
  }
  await connection.run(`DROP TABLE ${name}_begins`)
}

function itemsSql({ spans, logs, threads }: TraceRequest): string {
  // A thread may write several streams: one of them are the async spans that are written when they end.
  const values = [...threads].map(([stream, thread]) => `(${quote(stream)}, ${quote(thread)})`)
  // Columns of process_spans: stream_id, …, id, parent, depth, …, begin, end, …, name, target, filename, line, properties, stream.
  // Columns of log_entries: …, time, target, level, msg, properties.
  const parts = [
    `SELECT CASE c0 WHEN '' THEN ${ASYNC_SPAN} ELSE ${THREAD_SPAN} END AS kind, c0 AS stream, c6 AS b, c7 AS e, c4 AS depth,
       c2 AS id, c3 AS parent, c9 AS name, c10 AS target, c11 AS filename, c12 AS line, c13 AS properties, NULL AS level,
       NULL AS msg, thread AS origin FROM spans JOIN threads ON threads.stream = c14`,
  ]
  if (logs !== undefined) {
    parts.push(
      `SELECT CASE WHEN known.id IS NULL THEN ${LOG} ELSE ${SPAN_LOG} END, '', c7, c7, 0, 0, known.id, NULL, c8, NULL, NULL, c11, c9,
         c10, NULL FROM (SELECT *, TRY_CAST(json_extract_string(c11, '$.span_id') AS BIGINT) AS tag FROM (${logs}))
         LEFT JOIN known ON known.id = tag AND c7 BETWEEN known.b AND known.e`,
    )
  }
  // Spans of one begin: parents first; the calls of a thread are numbered as they began.
  return `WITH spans AS MATERIALIZED (${spans}), threads(stream, thread) AS (VALUES ${values.length > 0 ? values.join(', ') : "('', '')"}),
    known AS (SELECT c2 AS id, min(c6) AS b, max(c7) AS e FROM spans WHERE c0 = '' GROUP BY c2)
    SELECT CAST(row_number() OVER () AS INTEGER) AS n, i.* FROM (
      SELECT * FROM (${parts.join(' UNION ALL ')})
      ORDER BY CASE kind WHEN ${SPAN_LOG} THEN ${ASYNC_SPAN} ELSE kind END, stream, b, kind, depth,
        CASE kind WHEN ${THREAD_SPAN} THEN id END, e DESC, id) i`
}
