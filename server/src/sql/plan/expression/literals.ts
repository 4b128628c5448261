import { SqlError } from '../../sql-error.ts'
import {
  type ArrowType,
  BINARY,
  BOOLEAN,
  FLOAT64,
  INT64,
  INTERVAL,
  NULL,
  plain,
  UINT64,
  UTF8,
} from '../../types/arrow-type.ts'
import { duckType } from '../../types/duck-type.ts'
import type { Ast } from '../ast.ts'
import { type Constant, type Expr, type IntervalValue, quote } from './expr.ts'

const I64_MAX = 2n ** 63n - 1n
const U64_MAX = 2n ** 64n - 1n

/** A constant of a type in DuckDB's SQL. */
export function constantSql(value: Constant, type: ArrowType): string {
  const duck = duckType(type)
  if (value === null) return plain(type).kind === 'Null' ? 'NULL' : `CAST(NULL AS ${duck})`
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'bigint') return `${value < 0n ? `(${value})` : value}::${duck}`
  if (typeof value === 'number') return floatSql(value, duck)
  if (typeof value === 'string') return quote(value)
  if (value instanceof Uint8Array) return `from_hex('${Buffer.from(value).toString('hex')}')`
  return `{'m': ${value.months}::INTEGER, 'd': ${value.days}::INTEGER, 'n': ${value.nanoseconds}::BIGINT}`
}

function floatSql(value: number, duck: string): string {
  if (!Number.isFinite(value)) return `'${Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'}'::${duck}`
  const text = Object.is(value, -0) ? '-0.0' : `${value}`
  return `'${text}'::${duck}`
}

export function constant(value: Constant, type: ArrowType, name: string): Expr {
  return {
    sql: constantSql(value, type),
    type,
    nullable: value === null,
    name,
    constant: { value },
  }
}

export const nullLiteral = (): Expr => constant(null, NULL, 'NULL')
export const textLiteral = (text: string): Expr => constant(text, UTF8, `Utf8("${text}")`)
export const int64Literal = (value: bigint): Expr => constant(value, INT64, `Int64(${value})`)
export const float64Literal = (value: number): Expr =>
  constant(value, FLOAT64, `Float64(${rustFloat(value)})`)
export const booleanLiteral = (value: boolean): Expr => constant(value, BOOLEAN, `Boolean(${value})`)

export function intervalLiteral(value: IntervalValue): Expr {
  const { months, days, nanoseconds } = value
  const inner = `IntervalMonthDayNano { months: ${months}, days: ${days}, nanoseconds: ${nanoseconds} }`
  return constant(value, INTERVAL, `IntervalMonthDayNano("${inner}")`)
}

/** A literal as written in the query. */
export function bindLiteral(node: Ast): Expr {
  if (node === 'Null') return nullLiteral()
  if (node.Boolean !== undefined) return booleanLiteral(node.Boolean as boolean)
  if (node.Number !== undefined) return numberLiteral(node.Number[0] as string, false)
  const text = node.SingleQuotedString ?? node.EscapedStringLiteral ?? node.UnicodeStringLiteral
  if (text !== undefined) return textLiteral(text as string)
  if (node.DollarQuotedString !== undefined) return textLiteral(node.DollarQuotedString.value as string)
  if (node.DoubleQuotedString !== undefined) return textLiteral(node.DoubleQuotedString as string)
  if (node.HexStringLiteral !== undefined) return hexLiteral(node.HexStringLiteral as string)
  throw new SqlError('INVALID_ARGUMENT', `Error during planning: Unsupported Value ${JSON.stringify(node)}`)
}

export function numberLiteral(text: string, negative: boolean): Expr {
  const signed = negative ? `-${text}` : text
  if (/^-?\d+$/.test(signed)) {
    const value = BigInt(signed)
    if (value <= I64_MAX && value >= -I64_MAX - 1n) return int64Literal(value)
    if (value >= 0n && value <= U64_MAX) return constant(value, UINT64, `UInt64(${value})`)
  }
  const value = Number(signed)
  if (Number.isNaN(value)) {
    throw new SqlError('INVALID_ARGUMENT', `SQL error: ParserError("Cannot parse ${signed} as f64")`)
  }
  return float64Literal(value)
}

function hexLiteral(text: string): Expr {
  const padded = text.length % 2 === 1 ? `0${text}` : text
  const bytes = new Uint8Array(Buffer.from(padded, 'hex'))
  if (bytes.length * 2 !== padded.length) {
    throw new SqlError('INVALID_ARGUMENT', `Error during planning: Invalid HexStringLiteral '${text}'`)
  }
  return constant(bytes, BINARY, `Binary("${[...bytes].join(',')}")`)
}

/** A float as Rust's `Display` prints it: never with an exponent. */
export function rustFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf'
  const text = `${value}`
  if (!text.includes('e')) return text
  const [mantissa = '', exponent = '0'] = text.split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const shift = Number(exponent)
  const digits = whole + fraction
  const point = whole.length + shift
  const sign = value < 0 ? '-' : ''
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return sign + digits + '0'.repeat(point - digits.length)
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}
