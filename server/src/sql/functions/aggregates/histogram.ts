import { type Call, countArgs, literalOf, type ScalarFunction } from '../../plan/expression/call.ts'
import { cast } from '../../plan/expression/cast.ts'
import type { Expr } from '../../plan/expression/expr.ts'
import { planError } from '../../sql-error.ts'
import {
  type ArrowType,
  FLOAT64,
  isInteger,
  plain,
  structOf,
  UINT32,
  UINT64,
} from '../../types/arrow-type.ts'
import { argAt, define, floatArg, type Table, textArg } from '../define.ts'

/** What `make_histogram` makes; the members are f0 … f7 in DuckDB. */
export const HISTOGRAM: ArrowType = structOf([
  { name: 'start', type: FLOAT64, nullable: false },
  { name: 'end', type: FLOAT64, nullable: false },
  { name: 'min', type: FLOAT64, nullable: false },
  { name: 'max', type: FLOAT64, nullable: false },
  { name: 'sum', type: FLOAT64, nullable: false },
  { name: 'sum_sq', type: FLOAT64, nullable: false },
  { name: 'count', type: UINT64, nullable: false },
  {
    name: 'bins',
    type: { kind: 'List', item: { name: 'bin', type: UINT64, nullable: false } },
    nullable: false,
  },
])

export function histogramArg(call: Call, index: number): Expr {
  const arg = argAt(call, index)
  if (arg.type.kind === 'Null') return cast(arg, HISTOGRAM)
  const matches =
    arg.type.kind === 'Struct' && arg.type.fields.map(({ name }) => name).join() === HISTOGRAM_NAMES
  if (!matches) throw planError(`${call.name} takes a histogram`, call.place)
  return arg
}

const HISTOGRAM_NAMES = 'start,end,min,max,sum,sum_sq,count,bins'

export function histogramFunctions(table: Table<ScalarFunction>): void {
  define(table, 'quantile_from_histogram', (call) => {
    countArgs(call, 2)
    return {
      sql: `mm_histogram_quantile(${histogramArg(call, 0).sql}, ${floatArg(call, 1).sql})`,
      type: FLOAT64,
    }
  })
  define(table, 'variance_from_histogram', (call) => {
    countArgs(call, 1)
    return { sql: `mm_histogram_variance(${histogramArg(call, 0).sql})`, type: FLOAT64 }
  })
  define(table, 'sum_from_histogram', (call) => {
    countArgs(call, 1)
    return { sql: `(${histogramArg(call, 0).sql}).f4`, type: FLOAT64 }
  })
  define(table, 'count_from_histogram', (call) => {
    countArgs(call, 1)
    return { sql: `(${histogramArg(call, 0).sql}).f6`, type: UINT64 }
  })
  shapes(table)
}

function floats(call: Call, count: number): string {
  countArgs(call, count)
  return call.args.map((_, i) => floatArg(call, i).sql).join(', ')
}

/** Interpolation, bins and colours. */
function shapes(table: Table<ScalarFunction>): void {
  define(table, 'lerp', (call) => ({ sql: `mm_lerp(${floats(call, 3)})`, type: FLOAT64 }))
  define(table, 'unlerp', (call) => ({ sql: `mm_unlerp(${floats(call, 3)})`, type: FLOAT64 }))
  define(table, 'bin_center', (call) => ({ sql: `mm_bin_center(${floats(call, 2)})`, type: FLOAT64 }))
  define(table, 'rgba', (call) => ({ sql: `mm_rgba(${floats(call, 4)})`, type: UINT32 }))
  define(table, 'lerp_color', (call) => {
    countArgs(call, 3)
    const color = (index: number): string => {
      const arg = argAt(call, index)
      if (!isInteger(plain(arg.type)) && arg.type.kind !== 'Null')
        throw planError('lerp_color takes colours as UInt32', call.place)
      return cast(arg, UINT32).sql
    }
    return { sql: `mm_lerp_color(${color(0)}, ${color(1)}, ${floatArg(call, 2).sql})`, type: UINT32 }
  })
  define(table, 'color_scale', (call) => {
    countArgs(call, 3)
    const name = literalOf(call, 0)
    if (typeof name === 'string' && !COLOR_MAPS.includes(name.toLowerCase())) {
      throw planError(
        `color_scale(): unknown colormap '${name}'. Recognized: ${COLOR_MAPS.join(', ')}`,
        call.place,
      )
    }
    const args = [textArg(call, 0).sql, floatArg(call, 1).sql, floatArg(call, 2).sql]
    return { sql: `mm_color_scale(${args.join(', ')})`, type: UINT32 }
  })
}

const COLOR_MAPS = ['viridis', 'magma', 'plasma', 'inferno', 'cividis', 'turbo']
