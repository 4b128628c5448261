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
import { scanSql, type ViewShape } from '../scan-builder.ts'
import type { Preparations } from '../session-plan.ts'
import { LOG_ENTRIES, MEASURES } from '../shapes.ts'
import { BY_TIME, type TimeRange } from '../time-range.ts'
import { viewError } from '../view-source.ts'
import { PerfettoWriter } from './perfetto-writer.ts'
import { writeCounters } from './trace-counters.ts'
import { writeLogs } from './trace-logs.ts'
import { PropertyTexts } from './trace-rows.ts'
import { writeSpans } from './trace-spans.ts'

/** What a process did as a trace that Perfetto's page opens, in chunks: the spans asked for, its logs and its metrics. */
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
      for (const viewSet of ['log_entries', 'measures'] as const) {
        preparations.needs.push({ viewSet, processId, fromNs: range.beginNs, toNs: range.endNs })
      }
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
  const { name, processId, types, range, spans, tables, signal } = request
  const [process] = await connection.all(
    `SELECT p.exe, p.properties FROM processes p WHERE p.process_id = ${quote(processId)} AND EXISTS (SELECT 1 FROM blocks b WHERE b.process = p.id)`,
  )
  if (process === undefined) throw viewError(`process ${processId} not found`)
  const chunks = new ColumnBuffer(name, ['i32', 'bytes'])
  let chunkId = 0
  const writer = new PerfettoWriter(processId, (chunk) => chunks.push(chunkId++, chunk))
  const store = async (): Promise<void> => {
    const { columns, rowCount } = chunks.take()
    if (rowCount > 0) await connection.append(name, columns, rowCount)
  }
  writer.processDescriptor(String(process[0]), new PropertyTexts().read(process[1]))
  writer.flush()
  describeThreads(writer, processId, tables)
  if (types !== 'thread') {
    writer.asyncDescriptor()
    writer.flush()
  }
  const trace = { connection, name, writer, signal, store }
  await writeSpans(trace, spans)
  await writeLogs(
    trace,
    rowsOf(LOG_ENTRIES, ['time', 'level', 'target', 'msg', 'properties'], processId, range),
  )
  await writeCounters(
    trace,
    rowsOf(MEASURES, ['time', 'name', 'target', 'unit', 'value', 'properties'], processId, range),
  )
  writer.flush()
  await store()
}

function describeThreads(writer: PerfettoWriter, processId: string, tables: Tables): void {
  const streams = [...tables.registry.streams.values()]
    .filter(
      (stream) =>
        stream.process.processId === processId && stream.tags.includes('cpu') && stream.blocks.size > 0,
    )
    .sort((a, b) => (a.streamId < b.streamId ? -1 : 1))
  for (const { streamId, threadName } of streams) {
    const threadId = /(?:^|-)(-?\d+)$/.exec(threadName)?.[1] ?? '0'
    writer.threadDescriptor(streamId, Number(BigInt.asIntN(32, BigInt(threadId))), threadName)
  }
  writer.flush()
}

/** SQL of some columns of a view, of one process, in order of time. */
function rowsOf(
  shape: ViewShape,
  columns: readonly string[],
  processId: string,
  { beginNs, endNs }: TimeRange,
): string {
  const at = columns.map((column) => shape.fields.findIndex(({ name }) => name === column))
  const conditions = [`p.process_id = ${quote(processId)}`, ...BY_TIME({ beginNs, endNs })]
  const list = at.map((index) => `c${index}`).join(', ')
  return `SELECT ${list} FROM (${scanSql(shape, new Set(at), conditions)}) ORDER BY c${at[0]}`
}
