import { type AggregateCall, countArgs, literalOf, wrongType } from '../../plan/expression/call.ts'
import { cast } from '../../plan/expression/cast.ts'
import type { Expr } from '../../plan/expression/expr.ts'
import { sortSql } from '../../plan/query/sorting.ts'
import { planError, SqlError } from '../../sql-error.ts'
import {
  type ArrowType,
  BINARY,
  FLOAT64,
  INT64,
  isNumeric,
  isString,
  LARGE_UTF8,
  listOf,
  plain,
  typeName,
} from '../../types/arrow-type.ts'
import { duckType } from '../../types/duck-type.ts'
import { argAt, floatArg, textArg } from '../define.ts'
import { type AggregateTable, aggregate } from './aggregate-table.ts'
import { HISTOGRAM, histogramArg } from './histogram.ts'

/** Aggregates of many values at once: percentiles, lists, histograms, sketches. */
export function sketchFunctions(table: AggregateTable): void {
  percentiles(table)
  collecting(table)
  sketches(table)
}

/** The type of a percentile of values of a type. */
function percentileType(call: AggregateCall, value: Expr): ArrowType {
  const type = plain(value.type)
  if (!isNumeric(type)) throw wrongType(call, 'a number', typeName(value.type))
  return type.kind === 'Float32' ? type : FLOAT64
}

/** The value and the share, from the brackets or from WITHIN GROUP. */
function percentile(call: AggregateCall): { value: Expr; share: number; descending: boolean } {
  const grouped = call.withinGroup || (call.args.length === 1 && call.order.length > 0)
  const value = grouped ? call.order[0]?.expr : argAt(call, 0)
  const index = grouped ? 0 : call.args.length > 2 && call.name.endsWith('weight') ? 2 : 1
  const given = literalOf(call, index)
  const share = typeof given === 'bigint' ? Number(given) : given
  if (value === undefined || typeof share !== 'number') {
    throw planError(`Percentile value for '${call.name.toUpperCase()}' must be a literal`, call.place)
  }
  if (!(share >= 0 && share <= 1)) {
    throw planError(`Percentile value must be between 0.0 and 1.0 inclusive, ${share} is invalid`, call.place)
  }
  return { value, share, descending: grouped && call.order[0]!.descending }
}

function percentiles(table: AggregateTable): void {
  aggregate(table, 'approx_percentile_cont', (call) => {
    const { value, share, descending } = percentile(call)
    const type = percentileType(call, value)
    const at = descending ? 1 - share : share
    return {
      sql: ({ after }) =>
        `CAST(mm_approx(${cast(value, FLOAT64).sql}, ${at})${after} AS ${duckType(type)})`.replace(
          'mm_approx(',
          'approx_quantile(',
        ),
      type,
    }
  })
  aggregate(table, 'approx_percentile_cont_with_weight', (call) => {
    countArgs(call, 2, 4)
    const grouped = call.withinGroup
    const value = grouped ? call.order[0]!.expr : argAt(call, 0)
    const weight = cast(argAt(call, grouped ? 0 : 1), FLOAT64).sql
    const share = literalOf(call, grouped ? 1 : 2)
    if (typeof share !== 'number' && typeof share !== 'bigint') {
      throw planError(
        `Percentile value for 'APPROX_PERCENTILE_CONT_WITH_WEIGHT' must be a literal`,
        call.place,
      )
    }
    const type = percentileType(call, value)
    return {
      sql: ({ after }) =>
        `CAST(mm_weighted_percentile(list({'v': ${cast(value, FLOAT64).sql}, 'w': ${weight}})${after}, ${Number(share)}::DOUBLE) AS ${duckType(type)})`,
      type,
    }
  })
  aggregate(table, 'percentile_cont quantile_cont', (call) => {
    const { value, share, descending } = percentile(call)
    const type = percentileType(call, value)
    return {
      sql: ({ distinct, after }) =>
        `CAST(quantile_cont(${distinct}${cast(value, FLOAT64).sql}, ${descending ? 1 - share : share})${after} AS ${duckType(type)})`,
      type,
    }
  })
  aggregate(table, 'approx_median', (call) => {
    countArgs(call, 1)
    const value = argAt(call, 0)
    const type = percentileType(call, value)
    return {
      sql: ({ after }) =>
        `CAST(approx_quantile(${cast(value, FLOAT64).sql}, 0.5)${after} AS ${duckType(type)})`,
      type,
    }
  })
}

function collecting(table: AggregateTable): void {
  aggregate(table, 'array_agg', (call) => {
    countArgs(call, 1)
    const value = argAt(call, 0)
    distinctOrder(call)
    const keep = call.ignoreNulls
      ? (list: string) => `list_filter(${list}, lambda e: e IS NOT NULL)`
      : (list: string) => list
    return {
      sql: ({ distinct, order, after }) => keep(`list(${distinct}${value.sql}${order})${after}`),
      type: listOf(value.type),
    }
  })
  aggregate(table, 'string_agg listagg', (call) => {
    countArgs(call, 2)
    distinctOrder(call)
    const text = textArg(call, 0, true).sql
    const separator = literalOf(call, 1)
    if (typeof separator !== 'string' && separator !== null) {
      throw planError(`The second argument of the string_agg function must be a string literal`, call.place)
    }
    return {
      sql: ({ distinct, order, after }) =>
        `string_agg(${distinct}${text}, ${textArg(call, 1).sql}${order})${after}`,
      type: LARGE_UTF8,
    }
  })
}

/** As there: what a DISTINCT aggregate is ordered by must be what it collects. */
function distinctOrder(call: AggregateCall): void {
  if (!call.distinct || call.order.length === 0) return
  const own = sortSql(call.order.map((key) => ({ ...key, expr: argAt(call, 0) })))
  const [key] = call.order
  const isPlainText =
    plain(argAt(call, 0).type).kind === argAt(call, 0).type.kind || call.name !== 'string_agg'
  if (call.order.length === 1 && key!.expr.sql === argAt(call, 0).sql && isPlainText && own !== '') return
  throw new SqlError(
    'INVALID_ARGUMENT',
    'Execution error: In an aggregate with DISTINCT, ORDER BY expressions must appear in argument list',
    { stage: 'stream' },
  )
}

function sketches(table: AggregateTable): void {
  aggregate(table, 'make_histogram', (call) => {
    countArgs(call, 4)
    const [start, end] = [floatArg(call, 0).sql, floatArg(call, 1).sql]
    const bins = cast(argAt(call, 2), INT64).sql
    const value = floatArg(call, 3).sql
    const index = `mm_histogram_bin(${start}, ${end}, ${bins}, ${value})`
    return {
      sql: ({ after }) =>
        `mm_histogram(any_value(${start})${after}, any_value(${end})${after}, any_value(${bins})${after}, min(${value})${after}, max(${value})${after}, sum(${value})${after}, sum(${value} * ${value})${after}, count(${value})${after}, histogram(${index})${after})`,
      type: HISTOGRAM,
    }
  })
  aggregate(table, 'sum_histograms', (call) => {
    countArgs(call, 1)
    const h = histogramArg(call, 0).sql
    return {
      sql: ({ after }) =>
        `mm_sum_histograms(any_value((${h}).f0)${after}, any_value((${h}).f1)${after}, min((${h}).f2)${after}, max((${h}).f3)${after}, sum((${h}).f4)${after}, sum((${h}).f5)${after}, sum((${h}).f6)${after}, list((${h}).f7)${after})`,
      type: HISTOGRAM,
    }
  })
  aggregate(table, 'make_hll', (call) => {
    countArgs(call, 1)
    const value = argAt(call, 0)
    const type = plain(value.type)
    if (!isString(type) && !isNumeric(type) && !['Binary', 'LargeBinary', 'Null'].includes(type.kind)) {
      throw planError(`make_hll: unsupported input type ${typeName(value.type)}`, call.place)
    }
    const keep = isString(type) ? `nullif(${value.sql}, '')` : value.sql
    return {
      sql: ({ after }) =>
        `mm_sketch(min(DISTINCT hash(${keep}), 16384)${after === '' ? ` FILTER (WHERE ${keep} IS NOT NULL)` : after})`,
      type: BINARY,
    }
  })
  aggregate(table, 'merge_hll', (call) => {
    countArgs(call, 1)
    const value = argAt(call, 0)
    if (plain(value.type).kind !== 'Binary')
      throw planError(`merge_hll: expected Binary, got ${typeName(value.type)}`, call.place)
    return { sql: ({ after }) => `mm_merge_sketches(list(${value.sql})${after})`, type: BINARY }
  })
}
