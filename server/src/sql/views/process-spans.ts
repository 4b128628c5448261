import type { Tables } from '../../tables/tables.ts'
import type { TableSource } from '../plan/context.ts'
import { quote } from '../plan/expression/expr.ts'
import { type Place, planError } from '../sql-error.ts'
import { textArgument, uuidArgument } from './arguments.ts'
import { FIELDS } from './fields.ts'
import { scanSql } from './scan-builder.ts'
import type { Preparations } from './session-plan.ts'
import { ASYNC_EVENTS, THREAD_SPANS } from './shapes.ts'
import { BY_SPAN, BY_TIME, type TimeRange } from './time-range.ts'
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

/** SQL of all columns of `process_spans`, and of one further: the stream in which the span's begin was recorded. */
export function processSpansSql(
  processId: string,
  types: SpanTypes,
  tables: Tables,
  range: TimeRange | undefined,
  preparations: Preparations,
): string {
  const parts: string[] = []
  if (types !== 'async') {
    const streams = [...tables.registry.streams.values()].filter(
      (stream) => stream.process.processId === processId && stream.tags.includes('cpu'),
    )
    if (range === undefined && streams.length > 0)
      throw viewError('query range mandatory for thread spans view')
    for (const { streamId, number, threadName } of streams) {
      preparations.needs.push({
        viewSet: 'thread_spans',
        streamId,
        fromNs: range?.beginNs,
        toNs: range?.endNs,
      })
      const all = new Set(THREAD_SPANS.fields.keys())
      const rows = scanSql(THREAD_SPANS, all, [`r.stream = ${number}`, ...BY_SPAN(range!)])
      parts.push(spans(quote(streamId), quote(threadName), 'c', rows))
    }
  }
  if (types !== 'thread') {
    preparations.needs.push({
      viewSet: 'async_events',
      processId,
      fromNs: range?.beginNs,
      toNs: range?.endNs,
    })
    parts.push(asyncSpans(processId, range))
  }
  if (parts.length === 0) {
    const list = FIELDS.process_spans.map((_, i) => `NULL AS c${i}`)
    return `SELECT ${list.join(', ')}, '' AS c${list.length} WHERE false`
  }
  return parts.join(' UNION ALL ')
}

function spans(streamId: string, threadName: string, prefix: string, rows: string): string {
  const list = THREAD_SPANS.fields.map((_, i) => `${prefix}${i} AS c${i + 2}`)
  return `SELECT ${streamId} AS c0, ${threadName} AS c1, ${list.join(', ')}, ${streamId} AS c14 FROM (${rows})`
}

function asyncSpans(processId: string, range: TimeRange | undefined): string {
  const conditions = [`p.process_id = ${quote(processId)}`, ...(range === undefined ? [] : BY_TIME(range))]
  const at = (name: string): string => `c${ASYNC_EVENTS.fields.findIndex((field) => field.name === name)}`
  const all = new Set(ASYNC_EVENTS.fields.keys())
  const half = (end: 0 | 1): string => scanSql(ASYNC_EVENTS, all, [...conditions, `r.is_end = ${end}`])
  const [time, id] = [at('time'), at('span_id')]
  const columns = [
    `'' AS c0`,
    `'async' AS c1`,
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
