import type { Connection } from '../../../tables/database.ts'
import { ColumnBuffer } from '../../../tables/decode/column-buffer.ts'
import type { Tables } from '../../../tables/tables.ts'
import type { TableSource } from '../../plan/context.ts'
import type { Expr } from '../../plan/expression/expr.ts'
import { quote } from '../../plan/expression/expr.ts'
import type { Place } from '../../sql-error.ts'
import { timeArgument, uuidArgument } from '../arguments.ts'
import { FIELDS } from '../fields.ts'
import { processSpansSql, type SpanTypes, spanTypes } from '../process-spans.ts'
import type { Preparations } from '../session-plan.ts'
import type { TimeRange } from '../time-range.ts'
import { viewError } from '../view-source.ts'
import { AsyncLanes } from './async-lanes.ts'
import { PerfettoWriter } from './perfetto-writer.ts'

/** As the reference: more than this many spans never share a chunk. */
const SPANS_PER_CHUNK = 10
/** Rows of spans read at a time. */
const PAGE_ROWS = 10_000

/** The spans of a process as a trace that Perfetto's page opens, in chunks. */
export function perfettoTraceChunks(
  args: readonly Expr[],
  place: Place | undefined,
  tables: Tables,
  preparations: Preparations,
): TableSource {
  const processId = uuidArgument('perfetto_trace_chunks', args, place)
  const types = spanTypes('perfetto_trace_chunks', args, place)
  const range = {
    beginNs: timeArgument('perfetto_trace_chunks', args, 2, 'start time', place),
    endNs: timeArgument('perfetto_trace_chunks', args, 3, 'end time', place),
  }
  const name = `chunks_${preparations.steps.length}`
  return {
    fields: FIELDS.perfetto_trace_chunks,
    sql: () => {
      const spans = processSpansSql(processId, types, tables, range, preparations)
      preparations.steps.push(async (connection, signal) => {
        await connection.run(`CREATE TEMP TABLE ${name}(c0 INTEGER, c1 BLOB)`)
        await writeTrace(connection, { name, processId, types, range, spans, tables, signal })
      })
      return `SELECT c0, c1 FROM ${name} ORDER BY c0`
    },
  }
}

interface TraceRequest {
  readonly name: string
  readonly processId: string
  readonly types: SpanTypes
  readonly range: TimeRange
  readonly spans: string
  readonly tables: Tables
  readonly signal: AbortSignal
}

async function writeTrace(connection: Connection, request: TraceRequest): Promise<void> {
  const { name, processId, types, spans, tables, signal } = request
  const [process] = await connection.all(
    `SELECT p.exe FROM processes p WHERE p.process_id = ${quote(processId)} AND EXISTS (SELECT 1 FROM blocks b WHERE b.process = p.id)`,
  )
  if (process === undefined) throw viewError(`process ${processId} not found`)
  const chunks = new ColumnBuffer(name, ['i32', 'bytes'])
  let chunkId = 0
  const writer = new PerfettoWriter(processId, (chunk) => chunks.push(chunkId++, chunk))
  const store = async (): Promise<void> => {
    const { columns, rowCount } = chunks.take()
    if (rowCount > 0) await connection.append(name, columns, rowCount)
  }
  writer.processDescriptor(String(process[0]))
  writer.flush()
  const streams = [...tables.registry.streams.values()]
    .filter(
      (stream) =>
        stream.process.processId === processId && stream.tags.includes('cpu') && stream.blocks.size > 0,
    )
    .sort((a, b) => (a.streamId < b.streamId ? -1 : 1))
  for (const { streamId, threadName } of streams) {
    const threadId = /(?:^|-)(-?\d+)$/.exec(threadName)?.[1] ?? '0'
    const number = BigInt(threadId)
    writer.threadDescriptor(streamId, Number(BigInt.asIntN(32, number)), threadName)
  }
  writer.flush()
  if (types !== 'thread') {
    writer.asyncDescriptor()
    writer.flush()
  }
  // Columns of process_spans: stream_id, …, begin, end, …, name, target, filename, line.
  await connection.run(
    `CREATE TEMP TABLE ${name}_spans AS SELECT row_number() OVER () AS n, s.* FROM (
       SELECT c0 AS stream, c6 AS b, c7 AS e, c9 AS name, c10 AS target, c11 AS filename, c12 AS line, c2 AS id, c3 AS parent
       FROM (${spans}) ORDER BY c1 = 'async', c0, c6, c7 DESC, c2) s`,
  )
  const lanes = new AsyncLanes()
  let laneCount = 0
  let count = 0
  let current: string | undefined
  for (let from = 0; ; from += PAGE_ROWS) {
    signal.throwIfAborted()
    const page = await connection.all(
      `SELECT stream, b, e, name, target, filename, line, id, parent FROM ${name}_spans WHERE n > ${from} AND n <= ${from + PAGE_ROWS} ORDER BY n`,
    )
    for (const row of page) {
      const stream = String(row[0])
      if (stream !== current) {
        count = 0
        current = stream
        if (stream !== '') writer.selectThread(stream)
      }
      const [beginNs, endNs, name] = [row[1] as bigint, row[2] as bigint, String(row[3])]
      if (stream === '') {
        const lane = lanes.laneOf({
          id: BigInt(row[7] as bigint),
          parent: BigInt(row[8] as bigint),
          beginNs,
          endNs,
          name,
        })
        if (lane.number === laneCount) {
          writer.laneDescriptor(lane.number, lane.name)
          laneCount++
        }
        writer.selectLane(lane.number)
      }
      writer.span(beginNs, endNs, {
        name,
        target: String(row[4]),
        filename: String(row[5]),
        line: Number(row[6]),
      })
      if (++count % SPANS_PER_CHUNK === 0) writer.flush()
    }
    await store()
    if (page.length < PAGE_ROWS) break
  }
  writer.flush()
  await store()
  await connection.run(`DROP TABLE ${name}_spans`)
}
