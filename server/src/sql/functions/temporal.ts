import { type Call, countArgs, literalOf, type ScalarFunction, wrongType } from '../plan/expression/call.ts'
import { cast, NANOSECONDS, scaled } from '../plan/expression/cast.ts'
import { type Expr, isConstant, quote } from '../plan/expression/expr.ts'
import { constantSql } from '../plan/expression/literals.ts'
import { parseInterval, parseTimestampText } from '../plan/expression/temporal-text.ts'
import { planError } from '../sql-error.ts'
import {
  type ArrowType,
  DATE32,
  FLOAT64,
  INT32,
  INT64,
  INTERVAL,
  isFloat,
  isInteger,
  isNumeric,
  isString,
  plain,
  TIMESTAMP_NS,
  type TimeUnit,
  timestamp,
  typeName,
  UTF8,
} from '../types/arrow-type.ts'
import { argAt, define, integerArg, type Table, textArg } from './define.ts'
import { chronoFormat } from './time-format.ts'

const TIME_NS: ArrowType = { kind: 'Time64', unit: 'ns' }

export function temporalFunctions(table: Table<ScalarFunction>): void {
  clocks(table)
  truncation(table)
  parts(table)
  conversions(table)
}

function clocks(table: Table<ScalarFunction>): void {
  define(table, 'now current_timestamp', (call) => {
    countArgs(call, 0)
    return {
      sql: `${call.nowNs}::BIGINT`,
      type: TIMESTAMP_NS,
      nullable: false,
      constant: { value: call.nowNs },
    }
  })
  define(table, 'today current_date', (call) => {
    countArgs(call, 0)
    const days = call.nowNs / 86_400_000_000_000n
    return { sql: constantSql(days, DATE32), type: DATE32, constant: { value: days } }
  })
  define(table, 'current_time', (call) => {
    countArgs(call, 0)
    const ns = call.nowNs % 86_400_000_000_000n
    return { sql: constantSql(ns, TIME_NS), type: TIME_NS, constant: { value: ns } }
  })
}

/** A point in time of its own unit; dates and texts become nanoseconds without a zone. */
function pointArg(call: Call, index: number): Expr {
  const arg = argAt(call, index)
  const type = plain(arg.type)
  if (type.kind === 'Timestamp') return arg
  if (type.kind === 'Date32' || type.kind === 'Date64' || isString(type) || type.kind === 'Null') {
    return cast(arg, TIMESTAMP_NS)
  }
  throw wrongType(call, 'a timestamp', typeName(arg.type))
}

const isClock = (type: ArrowType): boolean => type.kind === 'Time64' || type.kind === 'Time32'

const GRANULARITIES: Readonly<Record<string, bigint>> = {
  nanosecond: 1n,
  microsecond: 1_000n,
  millisecond: 1_000_000n,
  second: 1_000_000_000n,
  minute: 60_000_000_000n,
  hour: 3_600_000_000_000n,
  day: 86_400_000_000_000n,
}

function truncation(table: Table<ScalarFunction>): void {
  define(table, 'date_trunc datetrunc', (call) => {
    countArgs(call, 2)
    const unit = literalOf(call, 0)
    if (typeof unit !== 'string')
      throw planError('Granularity of `date_trunc` must be non-null scalar Utf8', call.place)
    const arg = argAt(call, 1)
    if (isClock(plain(arg.type))) {
      const step = GRANULARITIES[unit.toLowerCase()]
      if (step === undefined)
        throw planError(`date_trunc does not support '${unit}' granularity for Time types.`, call.place)
      const ns = cast(arg, TIME_NS).sql
      return {
        sql: cast(
          { sql: `(${ns} // ${step} * ${step})`, type: TIME_NS, nullable: true, name: '' },
          plain(arg.type),
        ).sql,
        type: plain(arg.type),
      }
    }
    const point = pointArg(call, 1)
    const type = plain(point.type)
    const ns = scaled(point.sql, type.kind === 'Timestamp' ? type.unit : 'ns', 'ns')
    return {
      sql: scaled(
        truncated(unit.toLowerCase(), ns, call),
        'ns',
        type.kind === 'Timestamp' ? type.unit : 'ns',
      ),
      type,
      nullable: point.nullable,
    }
  })
  define(table, 'date_bin', (call) => {
    countArgs(call, 2, 3)
    return dateBin(call)
  })
}

function truncated(unit: string, ns: string, call: Call): string {
  const step = GRANULARITIES[unit]
  if (step !== undefined) return `mm_floor_to(${ns}, ${step}, 0::BIGINT)`
  // 1970-01-05 was a Monday.
  if (unit === 'week') return `mm_floor_to(${ns}, ${7n * GRANULARITIES.day!}, ${4n * GRANULARITIES.day!})`
  if (unit === 'month' || unit === 'quarter' || unit === 'year') return `mm_trunc_calendar('${unit}', ${ns})`
  throw planError(
    `Unsupported date_trunc granularity: '${unit}'. Supported values are: microsecond, millisecond, second, minute, hour, day, week, month, quarter, year`,
    call.place,
  )
}

function dateBin(call: Call): { sql: string; type: ArrowType } {
  const width = cast(argAt(call, 0), INTERVAL)
  const value = isConstant(width) ? width.constant.value : undefined
  if (typeof value !== 'object' || value === null || !('months' in value)) {
    const text = literalOf(call, 0)
    if (typeof text === 'string' && parseInterval(text) === undefined) {
      throw planError(`Invalid interval: ${text}`, call.place)
    }
    throw planError('DATE_BIN expects stride argument to be an INTERVAL literal', call.place)
  }
  const arg = argAt(call, 1)
  if (isClock(plain(arg.type))) {
    const step = value.nanoseconds
    if (value.months !== 0 || step <= 0n)
      throw planError('DATE_BIN of times takes a stride below a day', call.place)
    return { sql: `mm_floor_to(${cast(arg, TIME_NS).sql}, ${step}, 0::BIGINT)`, type: TIME_NS }
  }
  const point = pointArg(call, 1)
  const from = plain(point.type)
  const type = timestamp('ns', from.kind === 'Timestamp' ? from.tz : undefined)
  const ns = scaled(point.sql, from.kind === 'Timestamp' ? from.unit : 'ns', 'ns')
  const origin = call.args[2] ? cast(call.args[2], TIMESTAMP_NS).sql : '0::BIGINT'
  if (value.months !== 0) {
    if (value.days !== 0 || value.nanoseconds !== 0n) {
      throw planError(
        'DATE_BIN stride does not support combination of month, day and nanosecond intervals',
        call.place,
      )
    }
    return { sql: `mm_bin_months(${ns}, ${value.months}, ${origin})`, type }
  }
  const step = BigInt(value.days) * 86_400_000_000_000n + value.nanoseconds
  if (step <= 0n) throw planError('DATE_BIN stride must be non-zero', call.place)
  return { sql: `mm_floor_to(${ns}, ${step}, ${origin})`, type }
}

/** Each part as DuckDB computes it from the nanoseconds `$`. */
const PARTS: Readonly<Record<string, readonly [sql: string, type: ArrowType]>> = {
  year: ['year(@)', INT32],
  quarter: ['quarter(@)', INT32],
  month: ['month(@)', INT32],
  week: ['weekofyear(@)', INT32],
  day: ['day(@)', INT32],
  hour: ['mm_floor_mod($ // 3600000000000, 24)', INT32],
  minute: ['mm_floor_mod($ // 60000000000, 60)', INT32],
  second: ['mm_floor_mod($, 60000000000) // 1000000000', INT32],
  millisecond: ['mm_floor_mod($, 60000000000) // 1000000', INT32],
  microsecond: ['mm_floor_mod($, 60000000000) // 1000', INT32],
  nanosecond: ['mm_floor_mod($, 60000000000)', INT64],
  doy: ['dayofyear(@)', INT32],
  dow: ['dayofweek(@)', INT32],
  isodow: ['isodow(@)', INT32],
  isoyear: ['isoyear(@)', INT32],
  epoch: ['($::DOUBLE / 1e9)', FLOAT64],
}

const PART_NAMES: Readonly<Record<string, string>> = {
  qtr: 'quarter',
  mon: 'month',
  sec: 'second',
  min: 'minute',
  msec: 'millisecond',
  milliseconds: 'millisecond',
  microseconds: 'microsecond',
  nanoseconds: 'nanosecond',
}

function parts(table: Table<ScalarFunction>): void {
  define(table, 'date_part datepart', (call) => {
    countArgs(call, 2)
    const given = literalOf(call, 0)
    if (typeof given !== 'string')
      throw planError('First argument of `DATE_PART` must be non-null scalar Utf8', call.place)
    const lower = given.toLowerCase()
    const name = PART_NAMES[lower] ?? (Object.hasOwn(PARTS, lower) ? lower : lower.replace(/s$/, ''))
    const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined
    if (part === undefined) throw planError(`Date part '${given}' not supported`, call.place)
    const [sql, type] = part
    const arg = argAt(call, 1)
    const from = plain(arg.type)
    if (from.kind === 'Interval')
      return { sql: intervalPart(name, arg.sql, type), type, nullable: arg.nullable }
    const ns = nanosecondsOf(call, arg, from)
    const value = sql.replaceAll('@', `make_timestamp_ns(${ns})`).replaceAll('$', ns)
    const result = type === FLOAT64 ? value : `CAST(${value} AS ${type === INT64 ? 'BIGINT' : 'INTEGER'})`
    return { sql: result, type, nullable: arg.nullable }
  })
}

function nanosecondsOf(call: Call, arg: Expr, from: ArrowType): string {
  // Of a duration, whole seconds only.
  if (from.kind === 'Duration') return `(${scaled(arg.sql, from.unit, 'ns')} // 1000000000 * 1000000000)`
  if (isClock(from)) return cast(arg, TIME_NS).sql
  const point = pointArg(call, 1)
  const type = plain(point.type)
  return type.kind === 'Timestamp' ? scaled(point.sql, type.unit, 'ns') : point.sql
}

function intervalPart(name: string, sql: string, type: ArrowType): string {
  const members: Readonly<Record<string, string>> = {
    year: `(${sql}).m // 12`,
    month: `(${sql}).m % 12`,
    day: `(${sql}).d`,
    hour: `(${sql}).n // 3600000000000`,
    minute: `(${sql}).n // 60000000000 % 60`,
    second: `(${sql}).n // 1000000000 % 60`,
    epoch: `mm_interval_seconds(${sql})`,
  }
  const member = members[name]
  if (member === undefined) throw planError(`Date part '${name}' of an interval is not supported`)
  return type === FLOAT64 ? member : `CAST(${member} AS ${type === INT64 ? 'BIGINT' : 'INTEGER'})`
}

const UNITS: readonly (readonly [names: string, unit: TimeUnit, number: TimeUnit])[] = [
  // A number without a unit counts nanoseconds … of seconds, as it was in Postgres.
  ['to_timestamp', 'ns', 's'],
  ['to_timestamp_seconds', 's', 's'],
  ['to_timestamp_millis', 'ms', 'ms'],
  ['to_timestamp_micros', 'us', 'us'],
  ['to_timestamp_nanos', 'ns', 'ns'],
]

function conversions(table: Table<ScalarFunction>): void {
  for (const [names, unit, numbers] of UNITS) {
    define(table, names, (call) => {
      countArgs(call, 1, 10)
      return toTimestamp(call, unit, numbers)
    })
  }
  define(table, 'from_unixtime', (call) => {
    countArgs(call, 1, 2)
    const type = plain(argAt(call, 0).type)
    if (!isInteger(type) && type.kind !== 'Null') throw wrongType(call, 'Int64', typeName(type))
    const zone = call.args[1] ? literalOf(call, 1) : undefined
    return { sql: integerArg(call, 0).sql, type: timestamp('s', typeof zone === 'string' ? zone : undefined) }
  })
  define(table, 'to_unixtime', (call) => {
    countArgs(call, 1, 10)
    const arg = argAt(call, 0)
    if (isNumeric(plain(arg.type))) return { sql: cast(arg, INT64).sql, type: INT64 }
    const point = isString(plain(arg.type)) ? toTimestamp(call, 's', 's').sql : cast(arg, timestamp('s')).sql
    return { sql: point, type: INT64 }
  })
  define(table, 'to_date', (call) => {
    countArgs(call, 1, 10)
    const arg = argAt(call, 0)
    if (isNumeric(plain(arg.type))) return { sql: `CAST(${cast(arg, INT64).sql} AS INTEGER)`, type: DATE32 }
    if (call.args.length > 1) {
      const ns = toTimestamp(call, 'ns', 'ns').sql
      return { sql: `CAST(mm_floor_div(${ns}, 86400000000000) AS INTEGER)`, type: DATE32 }
    }
    const converted = cast(isString(plain(arg.type)) ? cast(arg, TIMESTAMP_NS) : arg, DATE32)
    return { sql: converted.sql, type: DATE32, constant: converted.constant }
  })
  define(table, 'to_time', (call) => {
    countArgs(call, 1, 10)
    const arg = argAt(call, 0)
    if (call.args.length > 1) {
      return { sql: `mm_floor_mod(${toTimestamp(call, 'ns', 'ns').sql}, 86400000000000)`, type: TIME_NS }
    }
    return { sql: cast(arg, TIME_NS).sql, type: TIME_NS }
  })
  define(table, 'to_local_time', (call) => {
    countArgs(call, 1)
    const arg = argAt(call, 0)
    const type = plain(arg.type)
    if (type.kind !== 'Timestamp') throw wrongType(call, 'Timestamp', typeName(arg.type))
    return { sql: cast(arg, timestamp(type.unit)).sql, type: timestamp(type.unit) }
  })
  define(table, 'make_date', (call) => {
    countArgs(call, 3)
    const [y, m, d] = [0, 1, 2].map((i) => integerArg(call, i).sql)
    return { sql: `CAST(make_date(${y}, ${m}, ${d}) - DATE '1970-01-01' AS INTEGER)`, type: DATE32 }
  })
  define(table, 'make_time', (call) => {
    countArgs(call, 3)
    const [h, m, s] = [0, 1, 2].map((i) => integerArg(call, i).sql)
    return { sql: `mm_make_time(${h}, ${m}, ${s})`, type: { kind: 'Time32', unit: 's' } }
  })
  define(table, 'to_char date_format', (call) => {
    countArgs(call, 2)
    return toChar(call)
  })
}

function toTimestamp(
  call: Call,
  unit: TimeUnit,
  numbers: TimeUnit,
): { sql: string; type: ArrowType; constant?: { value: bigint } } {
  const type = timestamp(unit)
  const arg = argAt(call, 0)
  const from = plain(arg.type)
  if (isString(from)) {
    if (call.args.length > 1) {
      const formats = call.args.slice(1).map((_, i) => textArg(call, i + 1).sql)
      return {
        sql: scaled(`mm_parse_time_as(${textArg(call, 0).sql}, [${formats.join(', ')}])`, 'ns', unit),
        type,
      }
    }
    const value = isConstant(arg) ? arg.constant.value : undefined
    const ns = typeof value === 'string' ? parseTimestampText(value) : undefined
    if (ns !== undefined) {
      const constant = ns / NANOSECONDS[unit]
      return { sql: constantSql(constant, type), type, constant: { value: constant } }
    }
    return { sql: scaled(`mm_parse_time(${textArg(call, 0).sql})`, 'ns', unit), type }
  }
  if (isInteger(from)) {
    const value = isConstant(arg) && typeof arg.constant.value === 'bigint' ? arg.constant.value : undefined
    if (value !== undefined) {
      const constant = (value * NANOSECONDS[numbers]) / NANOSECONDS[unit]
      return { sql: constantSql(constant, type), type, constant: { value: constant } }
    }
    return { sql: scaled(cast(arg, INT64).sql, numbers, unit), type }
  }
  if (isFloat(from) || from.kind === 'Decimal128') {
    const factor = Number(NANOSECONDS[numbers] / NANOSECONDS[unit])
    return { sql: `CAST(trunc(${cast(arg, FLOAT64).sql} * ${factor}) AS BIGINT)`, type }
  }
  if (['Timestamp', 'Date32', 'Date64', 'Null'].includes(from.kind)) return { sql: cast(arg, type).sql, type }
  throw wrongType(call, 'a time, a number or a text', typeName(arg.type))
}

function toChar(call: Call): { sql: string; type: ArrowType } {
  const arg = argAt(call, 0)
  const from = plain(arg.type)
  const format = literalOf(call, 1)
  if (format === null) return { sql: 'CAST(NULL AS VARCHAR)', type: UTF8 }
  if (from.kind === 'Duration') return { sql: cast(arg, UTF8).sql, type: UTF8 }
  if (isNumeric(from) || from.kind === 'Interval' || from.kind === 'Boolean') {
    throw wrongType(call, 'a date, a time or a duration', typeName(arg.type))
  }
  const ns = isClock(from)
    ? cast(arg, TIME_NS).sql
    : cast(isString(from) ? cast(arg, TIMESTAMP_NS) : arg, TIMESTAMP_NS).sql
  if (typeof format !== 'string') {
    return { sql: `mm_format_time(${ns}, ${textArg(call, 1).sql})`, type: UTF8 }
  }
  const duck = chronoFormat(format, from.kind === 'Timestamp' && from.tz !== undefined)
  if (duck === undefined) return { sql: `mm_format_time(${ns}, ${quote(format)})`, type: UTF8 }
  return { sql: duck.replaceAll('$', ns), type: UTF8 }
}
