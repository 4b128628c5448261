import { planError } from '../../sql-error.ts'
import {
  type ArrowType,
  isBinary,
  isFloat,
  isInteger,
  isJsonb,
  isNumeric,
  isString,
  plain,
  sameType,
  type TimeUnit,
  typeName,
} from '../../types/arrow-type.ts'
import { duckType } from '../../types/duck-type.ts'
import { type Constant, type Expr, isConstant, quote } from './expr.ts'
import { constantSql } from './literals.ts'
import { parseDate, parseInterval, parseTime, parseTimestampText } from './temporal-text.ts'

/** Nanoseconds in a unit. */
export const NANOSECONDS: Readonly<Record<TimeUnit, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
}
export const NANOSECONDS_PER_DAY: bigint = 86_400_000_000_000n

/**
 * Changes the type of an expression as Arrow's cast does.
 *
 * @param lenient - NULL for values that cannot be converted, as TRY_CAST does; else they are an error.
 * @throws {@link SqlError} for types that have no conversion.
 */
export function cast(expr: Expr, target: ArrowType, lenient = false): Expr {
  if (sameType(expr.type, target)) return expr
  const rest = { nullable: expr.nullable || lenient, name: expr.name, place: expr.place }
  const marks = { aggregates: expr.aggregates, windows: expr.windows, unnests: expr.unnests }
  if (isConstant(expr)) {
    const value = castConstant(expr.constant.value, expr.type, target)
    if (value !== undefined) {
      return { ...rest, ...marks, sql: constantSql(value, target), type: target, constant: { value } }
    }
  }
  const sql = castSql(expr.sql, expr.type, target, lenient)
  if (sql === undefined) {
    throw planError(`Cannot automatically convert ${typeName(expr.type)} to ${typeName(target)}`, expr.place)
  }
  return { ...rest, ...marks, sql, type: target }
}

/** What can be converted without reading a row, exactly; `undefined` leaves it to the database. */
function castConstant(value: Constant, from: ArrowType, target: ArrowType): Constant | undefined {
  const to = plain(target)
  if (value === null) return null
  if (typeof value === 'string' && isString(plain(from))) {
    if (isString(to)) return value
    if (to.kind === 'Timestamp') {
      const ns = parseTimestampText(value, to.tz)
      return ns === undefined ? undefined : floorDivide(ns, NANOSECONDS[to.unit])
    }
    if (to.kind === 'Date32') return parseDate(value)
    if (to.kind === 'Time64' && to.unit === 'ns') return parseTime(value)
    if (to.kind === 'Interval') return parseInterval(value)
    return undefined
  }
  // Times of no zone are those of UTC, as on the reference servers.
  if (typeof value === 'bigint' && from.kind === 'Timestamp' && to.kind === 'Timestamp') {
    return from.unit === to.unit && isUtc(from.tz) && isUtc(to.tz) ? value : undefined
  }
  if (typeof value === 'bigint' && isInteger(from)) {
    if (isInteger(to)) return fits(value, to) ? value : undefined
    if (to.kind === 'Float64') return Number(value)
  }
  if (typeof value === 'number' && isFloat(from) && to.kind === 'Float64') return value
  return undefined
}

function isUtc(tz: string | undefined): boolean {
  return tz === undefined || tz === '+00:00' || tz === 'UTC'
}

function fits(value: bigint, type: ArrowType): boolean {
  const bits = Number(/\d+$/.exec(type.kind)?.[0])
  return type.kind.startsWith('U')
    ? value >= 0n && value < 1n << BigInt(bits)
    : BigInt.asIntN(bits, value) === value
}

export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}

/** The cast in SQL; `undefined` when there is none. */
function castSql(sql: string, source: ArrowType, target: ArrowType, lenient: boolean): string | undefined {
  const from = plain(source)
  const to = plain(target)
  const duck = duckType(to)
  const keyword = lenient ? 'TRY_CAST' : 'CAST'
  if (sameType(from, to)) return sql
  if (from.kind === 'Null') return `CAST(NULL AS ${duck})`
  if (isString(to)) return toText(sql, from)
  if (isString(from)) return fromText(sql, to, lenient)
  if (isBinary(from) || isBinary(to)) return castBinary(sql, from, to)
  if (isNumeric(from) || from.kind === 'Boolean') {
    if (isInteger(to) && !isInteger(from) && from.kind !== 'Boolean')
      return `${keyword}(trunc(${sql}) AS ${duck})`
    if (isNumeric(to)) return `${keyword}(${sql} AS ${duck})`
    if (to.kind === 'Boolean') return `(${sql} <> 0)`
    if (isInteger(from) && (isPoint(to) || to.kind === 'Duration')) return `CAST(${sql} AS ${duck})`
    if (isInteger(from) && to.kind === 'Interval')
      return `{'m': 0, 'd': CAST(${sql} AS INTEGER), 'n': 0::BIGINT}`
    return undefined
  }
  return castTemporal(sql, from, to) ?? castNested(sql, from, to, lenient)
}

const isPoint = (type: ArrowType): boolean =>
  ['Timestamp', 'Date32', 'Date64', 'Time32', 'Time64'].includes(type.kind)

function toText(sql: string, from: ArrowType): string | undefined {
  switch (from.kind) {
    case 'Utf8':
    case 'LargeUtf8':
    case 'Utf8View':
      return sql
    case 'Boolean':
    case 'Decimal128':
      return `CAST(${sql} AS VARCHAR)`
    case 'Float16':
    case 'Float32':
    case 'Float64':
      return `mm_float_text(${sql})`
    case 'Timestamp':
      return from.tz === undefined
        ? `mm_time_text(${scaled(sql, from.unit, 'ns')}, '')`
        : `mm_time_text(${scaled(sql, from.unit, 'ns')} + ${offsetSql(from.tz)}, ${quote(offsetText(from.tz))})`
    case 'Date32':
      return `strftime(DATE '1970-01-01' + CAST(${sql} AS INTEGER), '%Y-%m-%d')`
    case 'Date64':
      return `mm_time_text(${scaled(sql, 'ms', 'ns')}, '')`
    case 'Time32':
    case 'Time64':
      return `mm_clock_text(${scaled(sql, from.unit, 'ns')})`
    case 'Duration':
      return `mm_duration_text(${scaled(sql, from.unit, 'ns')})`
    case 'Interval':
      return `mm_interval_text(${sql})`
    case 'List':
      return `mm_list_text(list_transform(${sql}, lambda e: ${toText('e', plain(from.item.type))}))`
    case 'Binary':
    case 'BinaryView':
    case 'LargeBinary':
      return from.jsonb === true ? undefined : `decode(${sql})`
    default:
      return isInteger(from) ? `CAST(${sql} AS VARCHAR)` : undefined
  }
}

function fromText(sql: string, to: ArrowType, lenient: boolean): string | undefined {
  const keyword = lenient ? 'TRY_CAST' : 'CAST'
  const quiet = lenient ? 'mm_try_' : 'mm_'
  switch (to.kind) {
    case 'Timestamp':
      return scaled(`${quiet}parse_time(${sql})`, 'ns', to.unit)
    case 'Date32':
      return `${quiet}parse_date(${sql})`
    case 'Date64':
      return `(${quiet}parse_date(${sql})::BIGINT * 86400000)`
    case 'Time32':
    case 'Time64':
      return scaled(`epoch_ns(${keyword}(${sql} AS TIME_NS))`, 'ns', to.unit)
    case 'Binary':
    case 'LargeBinary':
    case 'BinaryView':
      return to.jsonb === true ? undefined : `encode(${sql})`
    case 'Boolean':
    case 'Float16':
    case 'Float32':
    case 'Float64':
    case 'Decimal128':
      return `${keyword}(${sql} AS ${duckType(to)})`
    default:
      return isInteger(to)
        ? `CAST(${quiet}parse_integer(${sql}, ${quote(typeName(to))}) AS ${duckType(to)})`
        : undefined
  }
}

function castBinary(sql: string, from: ArrowType, to: ArrowType): string | undefined {
  if (!isBinary(from) || !isBinary(to)) return undefined
  if (isJsonb(from) === isJsonb(to)) return sql
  return isJsonb(from) ? `mm_jsonb_bytes(${sql})` : `mm_jsonb_text(${sql})`
}

/** An integer of one unit of time as one of another. */
export function scaled(sql: string, from: TimeUnit, to: TimeUnit): string {
  if (from === to) return sql
  const a = NANOSECONDS[from]
  const b = NANOSECONDS[to]
  return a > b ? `(${sql} * ${a / b})` : `(${sql} // ${b / a})`
}

function castTemporal(sql: string, from: ArrowType, to: ArrowType): string | undefined {
  const day = (unit: TimeUnit): bigint => NANOSECONDS_PER_DAY / NANOSECONDS[unit]
  if (from.kind === 'Timestamp') {
    if (to.kind === 'Timestamp') {
      const moved = scaled(sql, from.unit, to.unit)
      const sign = from.tz === undefined && to.tz !== undefined ? '-' : '+'
      const zone = from.tz === undefined ? to.tz : to.tz === undefined ? from.tz : undefined
      const offset = zone === undefined ? 0n : offsetOf(zone)
      return offset === 0n ? moved : `(${moved} ${sign} ${offset / NANOSECONDS[to.unit]})`
    }
    if (to.kind === 'Date32') return `CAST(mm_floor_div(${sql}, ${day(from.unit)}) AS INTEGER)`
    if (to.kind === 'Date64') return `(mm_floor_div(${sql}, ${day(from.unit)}) * 86400000)`
    if (to.kind === 'Time64' || to.kind === 'Time32') {
      return scaled(`mm_floor_mod(${sql}, ${day(from.unit)})`, from.unit, to.unit)
    }
  }
  if (from.kind === 'Date32') {
    if (to.kind === 'Timestamp') return `(${sql}::BIGINT * ${day(to.unit)})`
    if (to.kind === 'Date64') return `(${sql}::BIGINT * 86400000)`
  }
  if (from.kind === 'Date64') {
    if (to.kind === 'Timestamp') return scaled(sql, 'ms', to.unit)
    if (to.kind === 'Date32') return `CAST(mm_floor_div(${sql}, 86400000) AS INTEGER)`
  }
  if (from.kind === 'Duration') {
    if (to.kind === 'Duration') return scaled(sql, from.unit, to.unit)
    if (to.kind === 'Interval') return `{'m': 0, 'd': 0, 'n': ${scaled(sql, from.unit, 'ns')}}`
  }
  if (from.kind === 'Interval' && to.kind === 'Duration')
    return scaled(`mm_interval_ns(${sql})`, 'ns', to.unit)
  if (from.kind === 'Time32' || from.kind === 'Time64') {
    if (to.kind === 'Time32' || to.kind === 'Time64') return scaled(sql, from.unit, to.unit)
    if (to.kind === 'Interval') return `{'m': 0, 'd': 0, 'n': ${scaled(sql, from.unit, 'ns')}}`
  }
  if (isInteger(to)) return `CAST(${sql} AS ${duckType(to)})`
  return undefined
}

function castNested(sql: string, from: ArrowType, to: ArrowType, lenient: boolean): string | undefined {
  if (from.kind === 'List' && to.kind === 'List') {
    const item = castSql('e', from.item.type, to.item.type, lenient)
    if (item === 'e') return sql
    return item && `list_transform(${sql}, lambda e: ${item})`
  }
  if (from.kind === 'Struct' && to.kind === 'Struct' && from.fields.length === to.fields.length) {
    const members = to.fields.map((field, i) => {
      const named = from.fields.findIndex(({ name }) => name === field.name)
      const at = named < 0 ? i : named
      const member = castSql(`(${sql}).f${at}`, from.fields[at]!.type, field.type, lenient)
      return member && `f${i} := ${member}`
    })
    if (members.includes(undefined)) return undefined
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(${members.join(', ')}) END`
  }
  return undefined
}

/** Nanoseconds that a fixed zone such as `+02:00` is ahead of UTC; names of places are UTC here. */
export function offsetOf(tz: string): bigint {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(tz) ?? []
  if (hours === undefined) return 0n
  const ns = (BigInt(hours) * 60n + BigInt(minutes ?? 0)) * 60_000_000_000n
  return sign === '-' ? -ns : ns
}

const offsetSql = (tz: string): string => `${offsetOf(tz)}`
const offsetText = (tz: string): string => (offsetOf(tz) === 0n ? 'Z' : tz)
