import { HISTOGRAM } from '../functions/aggregates/histogram.ts'
import type { TableSource } from '../plan/context.ts'
import { cast } from '../plan/expression/cast.ts'
import { type Expr, isConstant } from '../plan/expression/expr.ts'
import { type Place, planError } from '../sql-error.ts'
import {
  type ArrowType,
  DATE32,
  FLOAT64,
  INT64,
  INTERVAL,
  isInteger,
  isJsonb,
  JSONB,
  plain,
  TIMESTAMP_NS,
  UINT64,
  UTF8,
} from '../types/arrow-type.ts'
import { duckType } from '../types/duck-type.ts'

type Make = (args: readonly Expr[], place: Place | undefined) => TableSource

function only(name: string, what: string, args: readonly Expr[], place: Place | undefined): Expr {
  const [arg, ...others] = args
  if (arg === undefined || others.length > 0)
    throw planError(`${name} requires exactly one argument (${what})`, place)
  return arg
}

/** Table functions that read nothing but their arguments. */
export const TABLE_FUNCTIONS: Readonly<Record<string, Make>> = {
  generate_series: (args, place) => series('generate_series', args, place),
  range: (args, place) => series('range', args, place),
  expand_histogram: (args, place) => {
    const histogram = cast(only('expand_histogram', 'a histogram', args, place), HISTOGRAM).sql
    return {
      fields: [
        { name: 'bin_center', type: FLOAT64, nullable: false },
        { name: 'count', type: UINT64, nullable: false },
      ],
      sql: () =>
        `SELECT (h).f0 + (i - 0.5e0) * ((h).f1 - (h).f0) / len((h).f7) AS c0, (h).f7[i] AS c1
         FROM (SELECT h, unnest(range(1, len((h).f7) + 1)) AS i FROM (SELECT ${histogram} AS h) WHERE h IS NOT NULL)`,
    }
  },
  jsonb_each: (args, place) => {
    const json = jsonb('jsonb_each', 'a JSONB object', args, place)
    return {
      fields: [
        { name: 'key', type: UTF8, nullable: false },
        { name: 'value', type: JSONB, nullable: false },
      ],
      sql: () =>
        `SELECT (e).f0 AS c0, (e).f1 AS c1 FROM (SELECT unnest(CASE WHEN json_type(j) IN ('OBJECT', 'ARRAY') THEN mm_json_entries(j)
         ELSE error('exec:jsonb_each: input is not a JSONB object or array') END) AS e FROM (SELECT ${json} AS j) WHERE j IS NOT NULL)`,
    }
  },
  jsonb_array_elements: (args, place) => {
    const json = jsonb('jsonb_array_elements', 'a JSONB array', args, place)
    return {
      fields: [{ name: 'value', type: JSONB, nullable: false }],
      sql: () =>
        `SELECT unnest(CASE WHEN json_type(j) = 'ARRAY' THEN mm_json_elements(j)
         ELSE error('exec:jsonb_array_elements: input is not a JSONB array') END) AS c0 FROM (SELECT ${json} AS j) WHERE j IS NOT NULL`,
    }
  },
}

function jsonb(name: string, what: string, args: readonly Expr[], place: Place | undefined): string {
  const arg = only(name, what, args, place)
  if (arg.type.kind === 'Null') return cast(arg, JSONB).sql
  if (!isJsonb(arg.type))
    throw planError(`${name} argument must be Binary (JSONB), got: ${plain(arg.type).kind}`, place)
  return arg.sql
}

function series(
  name: 'generate_series' | 'range',
  args: readonly Expr[],
  place: Place | undefined,
): TableSource {
  if (args.length === 0 || args.length > 3)
    throw planError(`${name} function requires 1 to 3 arguments`, place)
  if (args.some((arg) => !isConstant(arg))) throw planError(`${name} takes constants`, place)
  const [first] = args as [Expr]
  const kind = plain(first.type).kind
  const field = (type: ArrowType): TableSource['fields'] => [{ name: 'value', type, nullable: false }]
  if (args.some((arg) => arg.constant?.value === null)) {
    return { fields: field(INT64), sql: () => `SELECT CAST(NULL AS BIGINT) AS c0 WHERE false` }
  }
  if (args.every((arg) => isInteger(plain(arg.type)))) {
    const numbers = args.map((arg) => cast(arg, INT64))
    if (numbers[2]?.constant?.value === 0n) throw planError(`Step value cannot be zero`, place)
    const bounds = numbers.length === 1 ? [`0::BIGINT`, numbers[0]!.sql] : numbers.map(({ sql }) => sql)
    return { fields: field(INT64), sql: () => `SELECT v AS c0 FROM ${name}(${bounds.join(', ')}) AS g(v)` }
  }
  if (kind === 'Timestamp' || kind === 'Date32') {
    if (args.length !== 3) throw planError(`${name} of times requires three arguments`, place)
    const type = kind === 'Date32' ? TIMESTAMP_NS : plain(first.type)
    const [from, to] = args.slice(0, 2).map((arg) => cast(arg, TIMESTAMP_NS).sql)
    const step = cast(args[2]!, INTERVAL).sql
    const list = `mm_time_series(${from}, ${to}, ${step}, ${name === 'generate_series'})`
    const item: Expr = { sql: 'v', type: TIMESTAMP_NS, nullable: false, name: '' }
    return {
      fields: field(type),
      sql: () =>
        `SELECT CAST(${cast(item, type).sql} AS ${duckType(type)}) AS c0 FROM (SELECT unnest(${list}) AS v)`,
    }
  }
  throw planError(
    `${name} takes integers, dates or timestamps, got ${kind === DATE32.kind ? 'Date32' : kind}`,
    place,
  )
}
