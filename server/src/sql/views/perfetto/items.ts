import type { Connection } from '../../../tables/database.ts'
import { ColumnBuffer } from '../../../tables/decode/column-buffer.ts'
import { AsyncLanes } from './async-lanes.ts'
import { placeLookup } from './lookup.ts'
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
  const count = await fillItems(connection, request)
  const lanes = new AsyncLanes()
  const laneNames: string[] = []
  const ofLanes = pages(
    connection,
    signal,
    count,
    (after, last) =>
      `SELECT n, kind, id, parent, b, e, place FROM ${name}_items WHERE n > ${after} AND n <= ${last} AND kind IN (${ASYNC_SPAN}, ${SPAN_LOG}) ORDER BY n`,
  )
  const places = placeLookup(connection)
  for await (const page of ofLanes) {
    await places.load(page.map((row) => row[6]))
    for (const row of page) {
      const [n, kind, id, parent, beginNs, endNs] = row as [number, number, bigint, bigint, bigint, bigint]
      const found =
        kind === SPAN_LOG
          ? lanes.laneOfLog({ parent, timeNs: beginNs })
          : lanes.laneOf({ row: n, id, parent, beginNs, endNs, name: places.get(row[6]).name })
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
      const [item, kind, origin, beginNs, endNs, id] = row as [number, number, number, bigint, bigint, bigint]
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

/** @returns How many items there are. */
async function fillItems(connection: Connection, request: TraceRequest): Promise<number> {
  const { name, types, spans, logs } = request
  const items = `${name}_items`
  await connection.run(
    `CREATE TEMP TABLE ${items}(n INTEGER, kind INTEGER, stream INTEGER, b BIGINT, e BIGINT, depth BIGINT, id BIGINT, parent BIGINT,
       place INTEGER, target INTEGER, properties INTEGER, level INTEGER, msg VARCHAR, origin INTEGER)`,
  )
  let count = 0
  // One after the other, for what is sorted at once must fit into memory where nothing can be put on disk.
  const add = async (rows: string, order: string): Promise<void> => {
    await connection.run(
      `INSERT INTO ${items} SELECT ${count} + row_number() OVER (), i.* FROM (${rows} ORDER BY ${order}) i`,
    )
    count = await countRows(connection, items)
  }
  // Spans of one begin: parents first; the calls of a thread are numbered as they began.
  if (types !== 'async') await add(spanItems(request, false), 'stream, b, depth, id')
  if (types === 'thread') {
    if (logs !== undefined) await add(logItems(logs, LOG), 'b')
    return count
  }
  if (logs === undefined) {
    await add(spanItems(request, true), 'b, depth, e DESC, id')
    return count
  }
  const known = `${name}_known`
  await connection.run(
    `CREATE TEMP TABLE ${known} AS SELECT c2 AS id, min(c6) AS b, max(c7) AS e FROM (${spans}) WHERE c0 = -1 GROUP BY c2`,
  )
  const isOfSpan = `EXISTS (SELECT 1 FROM ${known} k WHERE k.id = parent AND l.b BETWEEN k.b AND k.e)`
  await add(
    `SELECT * FROM (${spanItems(request, true)} UNION ALL SELECT * FROM (${logItems(logs, SPAN_LOG)}) l WHERE ${isOfSpan})`,
    'b, kind, depth, e DESC, id',
  )
  await add(`SELECT * FROM (${logItems(logs, LOG)}) l WHERE NOT ${isOfSpan}`, 'b')
  await connection.run(`DROP TABLE ${known}`)
  return count
}

function spanItems({ spans, threads }: TraceRequest, isAsync: boolean): string {
  // A thread may write several streams: one of them are the async spans that are written when they end.
  const names = new Map([...threads.values()].map(({ name }, i) => [name, i]))
  const values = [...threads].map(([stream, { name }]) => `(${stream}, ${names.get(name)})`)
  // Columns of process_spans: stream, …, id, parent, depth, …, begin, end, …, place, …, property set, stream of the begin.
  return `SELECT ${isAsync ? ASYNC_SPAN : THREAD_SPAN} AS kind, c0 AS stream, c6 AS b, c7 AS e, c4 AS depth, c2 AS id, c3 AS parent,
      c9 AS place, NULL AS target, c13 AS properties, NULL AS level, NULL AS msg, thread AS origin
    FROM (${spans}) JOIN (VALUES ${values.length > 0 ? values.join(', ') : '(NULL, NULL)'}) threads(number, thread) ON number = c14
    WHERE c0 ${isAsync ? '=' : '<>'} -1`
}

/** Logs with the span that they say they are of, as `parent`. */
function logItems(logs: string, kind: number): string {
  // Columns of log_entries: …, time, target, level, msg, property set.
  return `SELECT ${kind} AS kind, -1 AS stream, c7 AS b, c7 AS e, 0 AS depth, 0 AS id,
      TRY_CAST(json_extract_string(s.json, '$.span_id') AS BIGINT) AS parent, NULL AS place, c8 AS target, c11 AS properties,
      c9 AS level, c10 AS msg, NULL AS origin
    FROM (${logs}) JOIN property_sets s ON s.id = c11`
}
