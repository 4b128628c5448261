import type { TimeRange } from '../../nanoseconds.ts'
import type { StreamEntry } from '../../tables/registry.ts'
import type { Tables } from '../../tables/tables.ts'
import type { TableSource } from '../plan/context.ts'
import { quote } from '../plan/expression/expr.ts'
import { type Place, planError } from '../sql-error.ts'
import { textArgument, uuidArgument } from './arguments.ts'
import { FIELDS } from './fields.ts'
import { BY_SPAN, BY_TIME } from './range-filter.ts'
import { scanSql, type ViewShape } from './scan-builder.ts'
import type { Preparations } from './session-plan.ts'
import { ASYNC_EVENTS, THREAD_SPANS } from './shapes.ts'
import { viewError } from './view-source.ts'

export type SpanTypes = 'thread' | 'async' | 'both'

export function spanTypes(
  name: string,
  args: readonly { readonly sql: string }[],
  place: Place | undefined,
): SpanTypes {
  const text = textArgument(name, args as never, 1, "'thread', 'async', or 'both'", place)
  if (text === 'thread' || text === 'async' || text === 'both') return text
  throw planError(`span_types must be 'thread', 'async', or 'both', given: ${text}`, place)
}

/** The spans of all threads of a process, and its async spans: begins and ends brought together. */
export function processSpans(
  args: Parameters<typeof uuidArgument>[1],
  place: Place | undefined,
  tables: Tables,
  range: TimeRange | undefined,
  preparations: Preparations,
): TableSource {
  const processId = uuidArgument('process_spans', args, place)
  const types = spanTypes('process_spans', args, place)
  return {
    fields: FIELDS.process_spans,
    sql: () => processSpansSql(processId, types, tables, range, preparations),
  }
}

/** Views as texts, or as the numbers by which the tables know texts and property sets, see {@link processSpansSql}. */
export interface SpanForm {
  readonly thread: ViewShape
  readonly async: ViewShape
  /** Of a thread: its stream and its name. */
  readonly ofThread: (stream: StreamEntry) => readonly [stream: string, name: string]
  readonly ofAsync: readonly [stream: string, name: string]
}

const TEXTS: SpanForm = {
  thread: THREAD_SPANS,
  async: ASYNC_EVENTS,
  ofThread: ({ streamId, threadName }) => [quote(streamId), quote(threadName)],
  ofAsync: ["''", "'async'"],
}

const NO_PLACE = { hash: '0', target: '0', filename: '0', line: '0' }

/** Numbers of the stream, the place (as `name`) and the property set; the stream of async spans is -1. */
export const NUMBERS: SpanForm = {
  thread: {
    ...THREAD_SPANS,
    columns: { ...THREAD_SPANS.columns, ...NO_PLACE, name: 'r.place', properties: 'r.properties' },
  },
  async: {
    ...ASYNC_EVENTS,
    columns: {
      ...ASYNC_EVENTS.columns,
      ...NO_PLACE,
      stream_id: 'b.stream',
      block_id: '0',
      name: 'r.place',
      properties: 'r.properties',
    },
  },
  ofThread: ({ number }) => [String(number), '0'],
  ofAsync: ['-1', '0'],
}

/** SQL of all columns of `process_spans`, and of one further: the stream in which the span's begin was recorded. */
export function processSpansSql(
  processId: string,
  types: SpanTypes,
  tables: Tables,
  range: TimeRange | undefined,
  preparations: Preparations,
  form: SpanForm = TEXTS,
): string {
  const parts: string[] = []
  if (types !== 'async') {
    const streams = [...tables.registry.streams.values()].filter(
      (stream) => stream.process.processId === processId && stream.tags.includes('cpu'),
    )
    if (range === undefined && streams.length > 0)
      throw viewError('query range mandatory for thread spans view')
    for (const stream of streams) {
      preparations.needs.push({
        viewSet: 'thread_spans',
        streamId: stream.streamId,
        fromNs: range?.beginNs,
        toNs: range?.endNs,
      })
      const all = new Set(THREAD_SPANS.fields.keys())
      const rows = scanSql(form.thread, all, [`r.stream = ${stream.number}`, ...BY_SPAN(range!)])
      parts.push(spans(form.ofThread(stream), rows))
    }
  }
  if (types !== 'thread') {
    preparations.needs.push({
      viewSet: 'async_events',
      processId,
      fromNs: range?.beginNs,
      toNs: range?.endNs,
    })
    parts.push(asyncSpans(processId, range, form))
  }
  if (parts.length === 0) {
    const list = FIELDS.process_spans.map((_, i) => `NULL AS c${i}`)
    return `SELECT ${list.join(', ')}, NULL AS c${list.length} WHERE false`
  }
  return parts.join(' UNION ALL ')
}

function spans([stream, threadName]: readonly [string, string], rows: string): string {
  const list = THREAD_SPANS.fields.map((_, i) => `c${i} AS c${i + 2}`)
  return `SELECT ${stream} AS c0, ${threadName} AS c1, ${list.join(', ')}, ${stream} AS c14 FROM (${rows})`
}

function asyncSpans(processId: string, range: TimeRange | undefined, form: SpanForm): string {
  const conditions = [`p.process_id = ${quote(processId)}`, ...(range === undefined ? [] : BY_TIME(range))]
  const at = (name: string): string => `c${ASYNC_EVENTS.fields.findIndex((field) => field.name === name)}`
  const all = new Set(ASYNC_EVENTS.fields.keys())
  const half = (end: 0 | 1): string => scanSql(form.async, all, [...conditions, `r.is_end = ${end}`])
  const [time, id] = [at('time'), at('span_id')]
  const columns = [
    `${form.ofAsync[0]} AS c0`,
    `${form.ofAsync[1]} AS c1`,
    `b.${id} AS c2`,
    `b.${at('parent_span_id')} AS c3`,
    `b.${at('depth')} AS c4`,
    `b.${at('hash')} AS c5`,
    `b.${time} AS c6`,
    `e.${time} AS c7`,
    `e.${time} - b.${time} AS c8`,
    `b.${at('name')} AS c9`,
    `b.${at('target')} AS c10`,
    `b.${at('filename')} AS c11`,
    `b.${at('line')} AS c12`,
    `e.${at('properties')} AS c13`,
    `b.${at('stream_id')} AS c14`,
  ]
  return `SELECT * FROM (SELECT ${columns.join(', ')} FROM (${half(0)}) b JOIN (${half(1)}) e ON b.${id} = e.${id} WHERE b.${time} < e.${time} ORDER BY b.${time})`
}
