import {
  type AggregateAnswer,
  type AggregateCall,
  countArgs,
  literalOf,
  wrongType,
} from '../../plan/expression/call.ts'
import { cast } from '../../plan/expression/cast.ts'
import { planError, unsupported } from '../../sql-error.ts'
import {
  type ArrowType,
  BOOLEAN,
  decimal,
  FLOAT64,
  INT32,
  INT64,
  isFloat,
  isInteger,
  isNumeric,
  isString,
  isTemporal,
  isUnsigned,
  plain,
  typeName,
  UINT64,
} from '../../types/arrow-type.ts'
import { duckType } from '../../types/duck-type.ts'
import { argAt, floatArg } from '../define.ts'
import { type AggregateTable, aggregate } from './aggregate-table.ts'
import { sketchFunctions } from './sketches.ts'

/** A plain call of DuckDB's aggregate over one value. */
function over(duck: string, value: string, type: ArrowType, nullable = true): AggregateAnswer {
  return {
    sql: ({ distinct, order, after }) =>
      `CAST(${duck}(${distinct}${value}${order})${after} AS ${duckType(type)})`,
    type,
    nullable,
  }
}

export function aggregateFunctions(table: AggregateTable): void {
  counting(table)
  summing(table)
  picking(table)
  statistics(table)
  sketchFunctions(table)
}

function counting(table: AggregateTable): void {
  aggregate(table, 'count', (call) => {
    if (call.star || call.args.length === 0) {
      return { sql: ({ after }) => `count(*)${after}`, type: INT64, nullable: false }
    }
    if (call.args.length === 1) {
      const value = argAt(call, 0)
      if (value.type.kind === 'Null')
        return { sql: ({ after }) => `count(NULL)${after}`, type: INT64, nullable: false }
      return over('count', value.sql, INT64, false)
    }
    // Rows in which no value is NULL.
    const all = call.args.map((arg) => `${arg.sql} IS NOT NULL`).join(' AND ')
    return over(
      'count',
      `CASE WHEN ${all} THEN row(${call.args.map((arg) => arg.sql).join(', ')}) END`,
      INT64,
      false,
    )
  })
  aggregate(table, 'approx_distinct', (call) => {
    countArgs(call, 1)
    const { type } = argAt(call, 0)
    if (type.kind === 'Dictionary') {
      throw unsupported(`Support for 'approx_distinct' for data type ${typeName(type)} is not implemented`)
    }
    return {
      sql: ({ after }) => `CAST(approx_count_distinct(${argAt(call, 0).sql})${after} AS UBIGINT)`,
      type: UINT64,
      nullable: false,
    }
  })
  aggregate(table, 'regr_count', (call) => {
    const [y, x] = pair(call)
    return {
      sql: ({ after }) => `CAST(regr_count(${y}, ${x})${after} AS UBIGINT)`,
      type: UINT64,
      nullable: false,
    }
  })
  aggregate(table, 'grouping', (call) => {
    countArgs(call, 1, 100)
    return {
      sql: () => `CAST(grouping(${call.args.map((arg) => arg.sql).join(', ')}) AS INTEGER)`,
      type: INT32,
    }
  })
}

function summing(table: AggregateTable): void {
  aggregate(table, 'sum', (call) => {
    countArgs(call, 1)
    const value = argAt(call, 0)
    const type = plain(value.type)
    if (type.kind === 'Decimal128') return over('sum', value.sql, decimal(type.precision + 10, type.scale))
    if (isFloat(type)) return over('sum', cast(value, FLOAT64).sql, FLOAT64)
    if (isInteger(type)) return over('sum', value.sql, isUnsigned(type) ? UINT64 : INT64)
    if (type.kind === 'Duration') return over('sum', value.sql, type)
    if (type.kind === 'Interval') {
      return {
        sql: ({ after }) =>
          `CASE WHEN count(${value.sql})${after} > 0 THEN {'m': CAST(sum((${value.sql}).m)${after} AS INTEGER), 'd': CAST(sum((${value.sql}).d)${after} AS INTEGER), 'n': CAST(sum((${value.sql}).n)${after} AS BIGINT)} END`,
        type,
      }
    }
    throw planError(`Sum not supported for ${typeName(value.type)}`, call.place)
  })
  aggregate(table, 'avg mean', (call) => {
    countArgs(call, 1)
    const value = argAt(call, 0)
    const type = plain(value.type)
    if (type.kind === 'Decimal128') {
      return over('avg', `${value.sql}::DOUBLE`, decimal(type.precision + 4, Math.min(type.scale + 4, 38)))
    }
    if (type.kind === 'Duration') {
      return {
        sql: ({ distinct, after }) => `CAST(trunc(avg(${distinct}${value.sql})${after}) AS BIGINT)`,
        type,
      }
    }
    if (isNumeric(type) || type.kind === 'Null') return over('avg', cast(value, FLOAT64).sql, FLOAT64)
    throw planError(`Avg does not support inputs of type ${typeName(value.type)}.`, call.place)
  })
}

function picking(table: AggregateTable): void {
  for (const name of ['min', 'max']) {
    aggregate(table, name, (call) => {
      countArgs(call, 1)
      const value = argAt(call, 0)
      const type = plain(value.type)
      if (
        type.kind === 'List' ||
        type.kind === 'Struct' ||
        isString(type) ||
        isNumeric(type) ||
        isTemporal(type)
      ) {
        return over(name, value.sql, type)
      }
      return over(name, value.sql, type)
    })
  }
  aggregate(table, 'any_value', (call) => {
    countArgs(call, 1)
    return over('any_value', argAt(call, 0).sql, argAt(call, 0).type)
  })
  for (const [name, duck] of [
    ['first_value', 'first'],
    ['last_value', 'last'],
  ] as const) {
    aggregate(table, name, (call) => {
      countArgs(call, 1)
      const value = argAt(call, 0)
      const skip = call.ignoreNulls ? `${value.sql} IS NOT NULL` : undefined
      return {
        sql: ({ distinct, order, after }) =>
          `${duck}(${distinct}${value.sql}${order})${skip === undefined ? after : ` FILTER (WHERE ${skip}${call.filter ? ` AND ${call.filter.sql}` : ''})`}`,
        type: value.type,
      }
    })
  }
  aggregate(table, 'nth_value', (call) => {
    countArgs(call, 2)
    const value = argAt(call, 0)
    const nth = literalOf(call, 1)
    if (typeof nth !== 'bigint') throw planError('nth_value takes a constant position', call.place)
    const keep = call.ignoreNulls
      ? (list: string) => `list_filter(${list}, lambda e: e IS NOT NULL)`
      : (list: string) => list
    return {
      sql: ({ order, after }) => `(${keep(`list(${value.sql}${order})${after}`)})[${nth}]`,
      type: value.type,
    }
  })
  for (const [name, duck] of [
    ['bool_and', 'bool_and'],
    ['bool_or', 'bool_or'],
  ] as const) {
    aggregate(table, name, (call) => {
      countArgs(call, 1)
      const type = plain(argAt(call, 0).type)
      if (type.kind !== 'Boolean' && type.kind !== 'Null') throw wrongType(call, 'Boolean', typeName(type))
      return over(duck, cast(argAt(call, 0), BOOLEAN).sql, BOOLEAN)
    })
  }
  for (const name of ['bit_and', 'bit_or', 'bit_xor']) {
    aggregate(table, name, (call) => {
      countArgs(call, 1)
      const type = plain(argAt(call, 0).type)
      if (!isInteger(type) && type.kind !== 'Null') throw wrongType(call, 'Integer', typeName(type))
      return over(name, argAt(call, 0).sql, type)
    })
  }
}

/** The two columns of a covariance or regression, as floats. */
function pair(call: AggregateCall): [string, string] {
  countArgs(call, 2)
  return [floatArg(call, 0).sql, floatArg(call, 1).sql]
}

function statistics(table: AggregateTable): void {
  const single: readonly (readonly [names: string, duck: string])[] = [
    ['stddev stddev_samp', 'mm_safe(stddev_samp)'],
    ['stddev_pop', 'stddev_pop'],
    ['var var_samp var_sample', 'var_samp'],
    ['var_pop var_population', 'var_pop'],
  ]
  for (const [names, duck] of single) {
    aggregate(table, names, (call) => {
      countArgs(call, 1)
      return over(duck.replace(/^mm_safe\((.*)\)$/, '$1'), floatArg(call, 0).sql, FLOAT64)
    })
  }
  const double: readonly (readonly [names: string, duck: string])[] = [
    ['covar_samp covar', 'covar_samp'],
    ['covar_pop', 'covar_pop'],
    ['corr', 'corr'],
    ['regr_avgx', 'regr_avgx'],
    ['regr_avgy', 'regr_avgy'],
    ['regr_intercept', 'regr_intercept'],
    ['regr_r2', 'regr_r2'],
    ['regr_slope', 'regr_slope'],
    ['regr_sxx', 'regr_sxx'],
    ['regr_sxy', 'regr_sxy'],
    ['regr_syy', 'regr_syy'],
  ]
  for (const [names, duck] of double) {
    aggregate(table, names, (call) => {
      const [y, x] = pair(call)
      return { sql: ({ after }) => `mm_finite(${duck}(${y}, ${x})${after})`, type: FLOAT64 }
    })
  }
  aggregate(table, 'median', (call) => {
    countArgs(call, 1)
    const value = argAt(call, 0)
    const type = plain(value.type)
    if (!isNumeric(type)) throw wrongType(call, 'Numeric', typeName(value.type))
    return over('median', value.sql, isInteger(type) ? FLOAT64 : type)
  })
}
