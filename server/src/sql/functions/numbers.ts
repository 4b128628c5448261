import { type Call, countArgs, type ScalarFunction, wrongType } from '../plan/expression/call.ts'
import { cast } from '../plan/expression/cast.ts'
import {
  type ArrowType,
  BOOLEAN,
  decimal,
  FLOAT64,
  INT64,
  isFloat,
  isInteger,
  isNumeric,
  plain,
  typeName,
} from '../types/arrow-type.ts'
import { duckType } from '../types/duck-type.ts'
import { anyNullable, argAt, define, floatArg, integerArg, type Table } from './define.ts'

/** One float in, one float out; 32 bits stay 32. */
const FLOATING: readonly (readonly [names: string, duck: string])[] = [
  ['acos', 'mm_acos($)'],
  ['acosh', 'mm_acosh($)'],
  ['asin', 'mm_asin($)'],
  ['asinh', 'asinh($)'],
  ['atan', 'atan($)'],
  ['atanh', 'mm_atanh($)'],
  ['cbrt', 'cbrt($)'],
  ['cos', 'cos($)'],
  ['cosh', 'cosh($)'],
  ['cot', '(1 / tan($))'],
  ['degrees', 'degrees($)'],
  ['exp', 'exp($)'],
  ['ln', 'mm_ln($)'],
  ['log10', 'mm_log10($)'],
  ['log2', 'mm_log2($)'],
  ['radians', 'radians($)'],
  ['signum', 'sign($)'],
  ['sin', 'sin($)'],
  ['sinh', 'sinh($)'],
  ['sqrt', 'mm_sqrt($)'],
  ['tan', 'tan($)'],
  ['tanh', 'tanh($)'],
]

/** Floats keep their width, other numbers become 64-bit floats. */
function floating(call: Call, index: number): { sql: string; type: ArrowType } {
  const arg = argAt(call, index)
  const type = plain(arg.type)
  if (type.kind === 'Float32') return { sql: arg.sql, type }
  return { sql: floatArg(call, index).sql, type: FLOAT64 }
}

export function numberFunctions(table: Table<ScalarFunction>): void {
  for (const [names, duck] of FLOATING) {
    define(table, names, (call) => {
      countArgs(call, 1)
      const { sql, type } = floating(call, 0)
      const result = duck.replaceAll('$', sql)
      return { sql: type.kind === 'Float32' ? `CAST(${result} AS FLOAT)` : result, type }
    })
  }
  rounding(table)
  define(table, 'abs', (call) => {
    countArgs(call, 1)
    const arg = argAt(call, 0)
    const type = plain(arg.type)
    if (type.kind === 'Null') return { sql: cast(arg, FLOAT64).sql, type: FLOAT64 }
    if (!isNumeric(type)) throw wrongType(call, 'a number', typeName(arg.type))
    return { sql: `CAST(abs(${arg.sql}) AS ${duckType(type)})`, type, nullable: arg.nullable }
  })
  define(table, 'power pow', (call) => {
    countArgs(call, 2)
    return { sql: `pow(${floatArg(call, 0).sql}, ${floatArg(call, 1).sql})`, type: FLOAT64 }
  })
  define(table, 'log', (call) => {
    countArgs(call, 1, 2)
    const last = floating(call, call.args.length - 1)
    if (call.args.length === 1) return { sql: `mm_log10(${last.sql})`, type: last.type }
    return {
      sql: `CAST(mm_ln(${last.sql}) / mm_ln(${floatArg(call, 0).sql}) AS ${duckType(last.type)})`,
      type: last.type,
    }
  })
  define(table, 'atan2', (call) => {
    countArgs(call, 2)
    return { sql: `atan2(${floatArg(call, 0).sql}, ${floatArg(call, 1).sql})`, type: FLOAT64 }
  })
  define(table, 'nanvl', (call) => {
    countArgs(call, 2)
    const [a, b] = [floatArg(call, 0).sql, floatArg(call, 1).sql]
    return { sql: `CASE WHEN isnan(${a}) THEN ${b} ELSE ${a} END`, type: FLOAT64 }
  })
  define(table, 'isnan', (call) => {
    countArgs(call, 1)
    return { sql: `isnan(${floatArg(call, 0).sql})`, type: BOOLEAN }
  })
  define(table, 'iszero', (call) => {
    countArgs(call, 1)
    return { sql: `(${floatArg(call, 0).sql} = 0)`, type: BOOLEAN }
  })
  define(table, 'pi', (call) => {
    countArgs(call, 0)
    return { sql: 'pi()', type: FLOAT64 }
  })
  define(table, 'random rand', (call) => {
    countArgs(call, 0)
    return { sql: 'random()', type: FLOAT64 }
  })
  define(table, 'factorial', (call) => {
    countArgs(call, 1)
    return { sql: `CAST(mm_factorial(${wholeArg(call, 0)}) AS BIGINT)`, type: INT64 }
  })
  for (const name of ['gcd', 'lcm']) {
    define(table, name, (call) => {
      countArgs(call, 2)
      return { sql: `CAST(${name}(${wholeArg(call, 0)}, ${wholeArg(call, 1)}) AS BIGINT)`, type: INT64 }
    })
  }
}

function wholeArg(call: Call, index: number): string {
  const arg = argAt(call, index)
  if (isFloat(plain(arg.type))) throw wrongType(call, 'Integer', typeName(arg.type))
  return integerArg(call, index).sql
}

function rounding(table: Table<ScalarFunction>): void {
  for (const name of ['ceil', 'floor']) {
    define(table, name, (call) => {
      countArgs(call, 1)
      const arg = argAt(call, 0)
      const type = plain(arg.type)
      if (type.kind === 'Decimal128') return { sql: `CAST(${name}(${arg.sql}) AS ${duckType(type)})`, type }
      const value = floating(call, 0)
      return { sql: `${name}(${value.sql})`, type: value.type }
    })
  }
  define(table, 'round', (call) => {
    countArgs(call, 1, 2)
    const arg = argAt(call, 0)
    const type = plain(arg.type)
    const digits = call.args[1] && `CAST(${integerArg(call, 1).sql} AS INTEGER)`
    if (isInteger(type)) {
      return digits === undefined
        ? { sql: arg.sql, type, nullable: anyNullable(call) }
        : { sql: `CAST(mm_round_to(${arg.sql}::DOUBLE, ${digits}) AS ${duckType(type)})`, type }
    }
    if (type.kind === 'Decimal128') {
      const places = call.args[1]?.constant?.value
      const scale =
        typeof places === 'bigint'
          ? Math.max(0, Math.min(type.scale, Number(places)))
          : digits === undefined
            ? 0
            : type.scale
      const to = decimal(type.precision, scale)
      return {
        sql: `CAST(round(${arg.sql}, ${typeof places === 'bigint' ? places : 0}) AS ${duckType(to)})`,
        type: to,
      }
    }
    const value = floating(call, 0)
    return {
      sql:
        digits === undefined
          ? `round(${value.sql})`
          : `CAST(mm_round_to(${value.sql}, ${digits}) AS ${duckType(value.type)})`,
      type: value.type,
    }
  })
  define(table, 'trunc', (call) => {
    countArgs(call, 1, 2)
    const arg = argAt(call, 0)
    const type = plain(arg.type)
    const digits = call.args[1] && `CAST(${integerArg(call, 1).sql} AS INTEGER)`
    const value = type.kind === 'Decimal128' ? { sql: arg.sql, type } : floating(call, 0)
    const sql = digits === undefined ? `trunc(${value.sql})` : `mm_trunc_to(${value.sql}, ${digits})`
    return { sql: `CAST(${sql} AS ${duckType(value.type)})`, type: value.type }
  })
}
