import type { Connection } from '../../../tables/database.ts'
import { ColumnBuffer } from '../../../tables/decode/column-buffer.ts'
import type { DecodedViewSet } from '../../../tables/schema.ts'
import type { Tables } from '../../../tables/tables.ts'
import type { TableSource } from '../../plan/context.ts'
import type { Expr } from '../../plan/expression/expr.ts'
import { quote } from '../../plan/expression/expr.ts'
import { type Place, planError } from '../../sql-error.ts'
import { textArgument, timeArgument, uuidArgument } from '../arguments.ts'
import { FIELDS } from '../fields.ts'
import { NUMBERS, processSpansSql, spanTypes } from '../process-spans.ts'
import { BY_TIME } from '../range-filter.ts'
import { scanSql, type ViewShape } from '../scan-builder.ts'
import type { Preparations } from '../session-plan.ts'
import { LOG_ENTRIES, MEASURES } from '../shapes.ts'
import { viewError } from '../view-source.ts'
import { PerfettoWriter } from './format/perfetto-writer.ts'
import { prepareItems } from './items.ts'
import { Notes, noteLanes, noteUnpaired } from './notes.ts'
import type { TraceEvents, TraceRequest } from './trace-request.ts'
import { writeCounters } from './write-counters.ts'
import { type ItemTracks, writeItems } from './write-items.ts'

/** Spans, logs and metrics of a process as a trace that Perfetto's page opens, in chunks. */
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
  const events = traceEvents(args, place)
  const name = `chunks_${preparations.steps.length}`
  return {
    fields: FIELDS.perfetto_trace_chunks,
    sql: () => {
      const spans = processSpansSql(processId, types, tables, range, preparations, NUMBERS)
      const rows = (viewSet: DecodedViewSet, shape: ViewShape): string => {
        preparations.needs.push({ viewSet, processId, fromNs: range.beginNs, toNs: range.endNs })
        return scanSql(shape, usedOf(shape), [`p.process_id = ${quote(processId)}`, ...BY_TIME(range)])
      }
      const shows = (kind: 'logs' | 'metrics'): boolean => events === 'both' || events === kind
      const logs = shows('logs') ? rows('log_entries', LOGS) : undefined
      const measures = shows('metrics') ? rows('measures', VALUES) : undefined
      preparations.steps.push(async (connection, signal) => {
        await connection.run(`CREATE TEMP TABLE ${name}(c0 INTEGER, c1 BLOB)`)
        const threads = threadsOf(tables, processId)
        const request = { name, processId, types, range, spans, logs, measures, threads, signal }
        await writeTrace(connection, request)
      })
      return `SELECT c0, c1 FROM ${name} ORDER BY c0`
    },
  }
}

function traceEvents(args: readonly Expr[], place: Place | undefined): TraceEvents {
  if (args.length < 5) return 'both'
  const text = textArgument('perfetto_trace_chunks', args, 4, "'logs', 'metrics', 'both', or 'none'", place)
  if (text === 'logs' || text === 'metrics' || text === 'both' || text === 'none') return text
  throw planError(`events must be 'logs', 'metrics', 'both', or 'none', given: ${text}`, place)
}

const LOGS: ViewShape = {
  ...LOG_ENTRIES,
  columns: { ...LOG_ENTRIES.columns, target: 'r.target', properties: 'r.properties' },
}
const VALUES: ViewShape = {
  ...MEASURES,
  columns: {
    ...MEASURES.columns,
    target: 'r.target',
    name: 'r.name',
    unit: 'r.unit',
    properties: 'r.properties',
  },
}

/** The columns that a trace shows. */
function usedOf({ fields }: ViewShape): Set<number> {
  const names = ['time', 'target', 'level', 'msg', 'name', 'unit', 'value', 'properties']
  return new Set(fields.flatMap((field, i) => (names.includes(field.name) ? [i] : [])))
}

async function writeTrace(connection: Connection, request: TraceRequest): Promise<void> {
  const { name, processId, types, range } = request
  const [process] = await connection.all(
    `SELECT p.exe, p.start_time FROM processes p WHERE p.process_id = ${quote(processId)} AND EXISTS (SELECT 1 FROM blocks b WHERE b.process = p.id)`,
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
  const threads = describeThreads(writer, request.threads)
  writer.flush()
  const asyncTrack =
    types === 'thread' ? undefined : writer.trackDescriptor('async_track', { name: 'Async Operations' })
  writer.flush()
  const notes = new Notes()
  const items = await prepareItems(connection, request)
  const lanes: bigint[] = []
  let logs: bigint | undefined
  const tracks: ItemTracks = {
    thread: (stream) => threads.get(stream)!,
    lane: (number) => {
      const facts = { name: items.laneNames[number]!, parent: asyncTrack }
      lanes[number] ??= writer.trackDescriptor(`async_lane_${number}`, facts)
      return lanes[number]
    },
    logs: () => {
      logs ??= writer.trackDescriptor('logs', { name: 'Logs' })
      return logs
    },
  }
  await writeItems(connection, request, items, tracks, writer, store)
  for (const table of ['items', 'placed', 'arrows']) await connection.run(`DROP TABLE ${name}_${table}`)
  await writeCounters(connection, request, writer, notes, store)
  noteLanes(notes, items.lanes)
  if (types !== 'thread') await noteUnpaired(notes, connection, request)
  const startNs = process[1] as bigint
  notes.write(writer, startNs > range.beginNs ? startNs : range.beginNs)
  writer.flush()
  await store()
}

function threadsOf(tables: Tables, processId: string): TraceRequest['threads'] {
  const streams = [...tables.registry.streams.values()]
    .filter(
      (stream) =>
        stream.process.processId === processId && stream.tags.includes('cpu') && stream.blocks.size > 0,
    )
    .sort((a, b) => (a.streamId < b.streamId ? -1 : 1))
  return new Map(streams.map(({ number, streamId, threadName }) => [number, { streamId, name: threadName }]))
}

/** @returns The track of each stream of spans. */
function describeThreads(writer: PerfettoWriter, threads: TraceRequest['threads']): Map<number, bigint> {
  return new Map(
    [...threads].map(([number, { streamId, name }]) => {
      const threadId = BigInt(/(?:^|-)(-?\d+)$/.exec(name)?.[1] ?? '0')
      return [number, writer.threadDescriptor(streamId, BigInt.asIntN(32, threadId), name)]
    }),
  )
}
