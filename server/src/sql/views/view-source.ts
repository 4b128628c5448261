import type { TimeRange } from '../../nanoseconds.ts'
import type { DecodedViewSet } from '../../tables/schema.ts'
import type { ScanHints, TableSource } from '../plan/context.ts'
import { quote } from '../plan/expression/expr.ts'
import { SqlError } from '../sql-error.ts'
import { BY_TIME, type RangeFilter } from './range-filter.ts'
import { scanSql, type ViewShape } from './scan-builder.ts'
import type { Preparations } from './session-plan.ts'

interface ViewOptions {
  readonly shape: ViewShape
  readonly filter: RangeFilter
  readonly viewSet?: DecodedViewSet | undefined
  /** Rows of one process or stream only. */
  readonly processId?: string | undefined
  readonly streamId?: string | undefined
}

/** A view over the tables: notes which blocks it needs when its SQL is asked for. */
export function viewSource(
  options: ViewOptions,
  range: TimeRange | undefined,
  preparations: Preparations,
): TableSource {
  const { shape, filter, viewSet, processId, streamId } = options
  return {
    fields: shape.fields,
    isByTime: filter === BY_TIME,
    sql: (used, hints) => {
      const conditions = range === undefined ? [] : filter(range)
      if (processId !== undefined) conditions.push(`p.process_id = ${quote(processId)}`)
      if (streamId !== undefined) {
        conditions.push(`r.stream = (SELECT id FROM streams WHERE stream_id = ${quote(streamId)})`)
      }
      if (viewSet !== undefined) {
        preparations.needs.push({
          viewSet,
          processId: processId ?? hinted(hints, 'process_id'),
          streamId: streamId ?? hinted(hints, 'stream_id'),
          fromNs: range?.beginNs,
          toNs: range?.endNs,
        })
      }
      const payloadSize = shape.fields.findIndex(({ name }) => name === 'payload_size')
      if (viewSet === undefined && payloadSize >= 0 && used.has(payloadSize)) preparations.payloadSizes = true
      return scanSql(shape, used, conditions)
    },
  }
}

function hinted(hints: ScanHints, column: string): string | undefined {
  const value = hints.equals.get(column)
  return typeof value === 'string' ? value : undefined
}

/** An error of the view itself, as the reference reports those. */
export function viewError(text: string): SqlError {
  return new SqlError('INTERNAL', `External error: ${text}`)
}
