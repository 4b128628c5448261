import { ColumnBuffer } from '../../../tables/decode/column-buffer.ts'
import { AsyncLanes } from './async-lanes.ts'
import { PropertyTexts, pagesOf, type TraceWriting } from './trace-rows.ts'

/** As the reference: more than this many spans never share a chunk. */
const SPANS_PER_CHUNK = 10
/** Arrows that leave one span, at most: beyond, its children on other lanes have none. */
const MAX_FLOWS = 256

/**
 * Writes thread spans and async spans.
 *
 * @param spans - SQL of all columns of `process_spans`.
 */
export async function writeSpans(trace: TraceWriting, spans: string): Promise<void> {
  const { connection, name, writer, signal, store } = trace
  // Columns of process_spans: stream_id, …, begin, end, …, name, target, filename, line, properties.
  await connection.run(
    `CREATE TEMP TABLE ${name}_spans AS SELECT row_number() OVER () AS n, s.* FROM (
       SELECT c0 AS stream, c6 AS b, c7 AS e, c9 AS name, c10 AS target, c11 AS filename, c12 AS line, c2 AS id, c3 AS parent,
         c13 AS properties
       FROM (${spans}) ORDER BY c1 = 'async', c0, c6, c7 DESC, c2) s`,
  )
  const laneNames = await findLanes(trace)
  for (const [lane, laneName] of laneNames.entries()) writer.laneDescriptor(lane, laneName)
  const texts = new PropertyTexts()
  let count = 0
  let current: string | undefined
  const rows = `SELECT s.stream, s.b, s.e, s.name, s.target, s.filename, s.line, s.properties, l.lane, f.ids,
       CASE WHEN l.crosses = 1 THEN s.id END
     FROM ${name}_spans s LEFT JOIN ${name}_lanes l ON l.n = s.n
     LEFT JOIN (SELECT c.parent, list(c.id)[1:${MAX_FLOWS}] AS ids FROM ${name}_spans c JOIN ${name}_lanes cl ON cl.n = c.n
       WHERE cl.crosses = 1 GROUP BY c.parent) f ON s.stream = '' AND f.parent = s.id
     ORDER BY s.n`
  for await (const page of pagesOf(connection, `${name}_written`, rows, signal)) {
    for (const [streamId, begin, end, spanName, target, filename, line, json, lane, flows, arrival] of page) {
      const stream = String(streamId)
      if (stream !== current) count = 0
      current = stream
      if (stream === '') writer.selectLane(Number(lane))
      else writer.selectThread(stream)
      writer.span(
        begin as bigint,
        end as bigint,
        {
          name: String(spanName),
          target: String(target),
          filename: String(filename),
          line: Number(line),
        },
        texts.read(json),
        (flows as { readonly items: readonly bigint[] } | null)?.items,
        (arrival as bigint | null) ?? undefined,
      )
      if (++count % SPANS_PER_CHUNK === 0) writer.flush()
    }
    await store()
  }
  await connection.run(`DROP TABLE ${name}_spans; DROP TABLE ${name}_lanes`)
}

/**
 * Finds the lanes of all async spans before any is written, for an arrow begins at the parent, which is written first.
 *
 * @returns The names of the lanes, by number.
 */
async function findLanes({ connection, name, signal }: TraceWriting): Promise<readonly string[]> {
  const table = `${name}_lanes`
  await connection.run(`CREATE TEMP TABLE ${table}(n BIGINT, lane INTEGER, crosses INTEGER)`)
  const found = new ColumnBuffer(table, ['i64', 'i32', 'i32'])
  const lanes = new AsyncLanes()
  const names: string[] = []
  const rows = `SELECT n, id, parent, b, e, name FROM ${name}_spans WHERE stream = '' ORDER BY n`
  for await (const page of pagesOf(connection, `${name}_laid`, rows, signal)) {
    for (const [n, id, parent, beginNs, endNs, spanName] of page as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      string,
    ][]) {
      const { lane, leavesParent } = lanes.laneOf({ id, parent, beginNs, endNs, name: spanName })
      names[lane.number] = lane.name
      found.push(n, lane.number, leavesParent ? 1 : 0)
    }
    const { columns, rowCount } = found.take()
    await connection.append(table, columns, rowCount)
  }
  return names
}
