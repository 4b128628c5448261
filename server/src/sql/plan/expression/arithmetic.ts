import { planError } from '../../sql-error.ts'
import {
  type ArrowType,
  BOOLEAN,
  decimal,
  INT64,
  INTERVAL,
  isFloat,
  isInteger,
  isNumeric,
  plain,
  sameType,
  TIMESTAMP_NS,
  typeName,
} from '../../types/arrow-type.ts'
import { arithmeticNumber, asDecimal, temporalArithmetic } from '../../types/coercion.ts'
import { duckType } from '../../types/duck-type.ts'
import { cast, NANOSECONDS } from './cast.ts'
import { type Expr, isConstant, marksOf } from './expr.ts'
import { constantSql, intervalLiteral } from './literals.ts'
import { result } from './operation.ts'
import { truth } from './truth.ts'

const isPoint = ({ kind }: ArrowType): boolean =>
  kind === 'Timestamp' || kind === 'Date32' || kind === 'Date64'
const isClock = ({ kind }: ArrowType): boolean => kind === 'Time32' || kind === 'Time64'
const isSpan = ({ kind }: ArrowType): boolean => kind === 'Interval' || kind === 'Duration'

/** `left op right` for `+`, `-`, `*`, `/` and `%`, over numbers, points in time and spans. */
export function calculate(op: string, left: Expr, right: Expr): Expr {
  const a = plain(left.type)
  const b = plain(right.type)
  if (a.kind === 'Null' && b.kind === 'Null') return result('CAST(NULL AS BIGINT)', INT64, op, left, right)
  if (a.kind === 'Null') return calculateTyped(op, cast(left, b), right, left, right)
  if (b.kind === 'Null') return calculateTyped(op, left, cast(right, a), left, right)
  return calculateTyped(op, left, right, left, right)
}

function calculateTyped(op: string, a: Expr, b: Expr, left: Expr, right: Expr): Expr {
  const x = plain(a.type)
  const y = plain(b.type)
  if (isNumeric(x) && isNumeric(y)) return numbers(op, a, b, left, right)
  const temporal = op === '+' || op === '-' ? addTemporal(op, a, b) : undefined
  if (temporal !== undefined) return result(temporal.sql, temporal.type, op, left, right)
  throw planError(
    `Cannot coerce arithmetic expression ${typeName(left.type)} ${op} ${typeName(right.type)} to valid types`,
    left.place,
  )
}

function addTemporal(op: string, a: Expr, b: Expr): { sql: string; type: ArrowType } | undefined {
  const x = plain(a.type)
  const y = plain(b.type)
  const date = (expr: Expr): Expr => cast(expr, INTERVAL)
  if (isPoint(x) && (isSpan(y) || (isInteger(y) && x.kind !== 'Timestamp'))) {
    return { sql: moved(op, a, isInteger(y) ? date(b) : b), type: x }
  }
  if (op === '+' && (isSpan(x) || (isInteger(x) && y.kind !== 'Timestamp')) && isPoint(y)) {
    return { sql: moved(op, isPoint(plain(a.type)) ? a : b, isInteger(x) ? date(a) : a), type: y }
  }
  if (op === '-' && x.kind === y.kind && (x.kind === 'Date32' || x.kind === 'Date64')) {
    return {
      sql: `(${a.sql}::BIGINT - ${b.sql}::BIGINT)${x.kind === 'Date64' ? ' // 86400000' : ''}`,
      type: INT64,
    }
  }
  if (op === '-' && isPoint(x) && isPoint(y)) {
    const type = temporalArithmetic(x, y)
    if (type?.kind !== 'Timestamp') return undefined
    return {
      sql: `(${cast(a, type).sql} - ${cast(b, type).sql})`,
      type: { kind: 'Duration', unit: type.unit },
    }
  }
  if (x.kind === 'Duration' && y.kind === 'Duration' && x.unit === y.unit) {
    return { sql: `(${a.sql} ${op} ${b.sql})`, type: x }
  }
  if (isClock(x) && isSpan(y)) {
    const type = x.kind === 'Time64' || x.kind === 'Time32' ? x : undefined
    if (type === undefined) return undefined
    const unit = NANOSECONDS[type.unit]
    const day = 86_400_000_000_000n / unit
    return {
      sql: `mm_floor_mod(${a.sql} ${op} mm_interval_ns(${cast(b, INTERVAL).sql}) // ${unit}, ${day})`,
      type,
    }
  }
  if (isPoint(x) && isClock(y) && op === '+') {
    return {
      sql: `(${cast(a, TIMESTAMP_NS).sql} + ${cast(b, { kind: 'Time64', unit: 'ns' }).sql})`,
      type: TIMESTAMP_NS,
    }
  }
  const spanLike = (type: ArrowType): boolean => isSpan(type) || isClock(type) || isNumeric(type)
  if (spanLike(x) && spanLike(y) && (x.kind === 'Interval' || y.kind === 'Interval' || isClock(x))) {
    return {
      sql: `mm_interval_${op === '+' ? 'add' : 'sub'}(${cast(a, INTERVAL).sql}, ${cast(b, INTERVAL).sql})`,
      type: INTERVAL,
    }
  }
  return undefined
}

/** A point in time, some months, days and nanoseconds later or earlier. */
function moved(op: string, point: Expr, span: Expr): string {
  const type = plain(point.type)
  const sign = op === '-' ? -1 : 1
  const unit =
    type.kind === 'Timestamp'
      ? NANOSECONDS[type.unit]
      : type.kind === 'Date64'
        ? 1_000_000n
        : 86_400_000_000_000n
  if (span.type.kind === 'Duration') {
    return `(${point.sql} ${op} ${cast(span, { kind: 'Duration', unit: type.kind === 'Timestamp' ? type.unit : 'ns' }).sql})`
  }
  const value = span.constant?.value
  if (
    isConstant(span) &&
    typeof value === 'object' &&
    value !== null &&
    'months' in value &&
    value.months === 0
  ) {
    const ns = BigInt(value.days) * 86_400_000_000_000n + value.nanoseconds
    return type.kind === 'Date32'
      ? `CAST(${point.sql} ${op} ${ns / unit} AS INTEGER)`
      : `(${point.sql} ${op} ${ns / unit}::BIGINT)`
  }
  const ns = `(${point.sql}::BIGINT * ${unit})`
  return `CAST(mm_move(${ns}, ${span.sql}, ${sign}) // ${unit} AS ${duckType(type)})`
}

function numbers(op: string, a: Expr, b: Expr, left: Expr, right: Expr): Expr {
  const x = plain(a.type)
  const y = plain(b.type)
  if ((x.kind === 'Decimal128' || y.kind === 'Decimal128') && !isFloat(x) && !isFloat(y)) {
    return decimals(op, a, b, left, right)
  }
  const type =
    x.kind === 'Decimal128' || y.kind === 'Decimal128' ? (isFloat(x) ? x : y) : arithmeticNumber(x, y)
  if (type === undefined) throw planError('Cannot calculate with these types', left.place)
  if (type.kind === 'Decimal128') return decimals(op, a, b, left, right)
  const [p, q] = [cast(a, type).sql, cast(b, type)]
  if (isFloat(type)) {
    const sql = op === '%' ? `fmod(${p}, ${q.sql})` : `(${p} ${op} ${q.sql})`
    return result(sql, type, op, left, right)
  }
  return result(integers(op, p, q, type), type, op, left, right)
}

/** Division by zero is an error there, NULL here: so it is asked for. */
function integers(op: string, a: string, b: Expr, type: ArrowType): string {
  const duck = duckType(type)
  if (op !== '/' && op !== '%') return `CAST(${a} ${op} ${b.sql} AS ${duck})`
  const sql = op === '/' ? `${a} // ${b.sql}` : `${a} % ${b.sql}`
  if (isConstant(b) && b.constant.value !== 0n && b.constant.value !== null) return `CAST(${sql} AS ${duck})`
  return `CASE WHEN ${b.sql} = 0 AND ${a} IS NOT NULL THEN CAST(error('arrow:Divide by zero error') AS ${duck}) ELSE CAST(${sql} AS ${duck}) END`
}

function decimals(op: string, a: Expr, b: Expr, left: Expr, right: Expr): Expr {
  const p = asDecimal(plain(a.type))
  const q = asDecimal(plain(b.type))
  const scale = Math.max(p.scale, q.scale)
  const whole = Math.max(p.precision - p.scale, q.precision - q.scale)
  if (op === '+' || op === '-') {
    const type = decimal(whole + scale + 1, scale)
    return result(
      `CAST(${cast(a, type).sql} ${op} ${cast(b, type).sql} AS ${duckType(type)})`,
      type,
      op,
      left,
      right,
    )
  }
  if (op === '*') {
    const type = decimal(p.precision + q.precision + 1, p.scale + q.scale)
    return result(`CAST(${a.sql} * ${b.sql} AS ${duckType(type)})`, type, op, left, right)
  }
  const zero = (sql: string, type: ArrowType): string =>
    `CASE WHEN ${b.sql} = 0 AND ${a.sql} IS NOT NULL THEN CAST(error('arrow:Divide by zero error') AS ${duckType(type)}) ELSE CAST(${sql} AS ${duckType(type)}) END`
  if (op === '%') {
    const type = decimal(Math.min(p.precision - p.scale, q.precision - q.scale) + scale, scale)
    return result(zero(`${a.sql} % ${b.sql}`, type), type, op, left, right)
  }
  const type = decimal(p.precision + 4 - q.scale + q.scale, Math.min(p.scale + 4, 38))
  return result(
    zero(
      `trunc(${a.sql}::DOUBLE / ${b.sql}::DOUBLE * 1e${type.kind === 'Decimal128' ? type.scale : 0}) / 1e${type.kind === 'Decimal128' ? type.scale : 0}`,
      type,
    ),
    type,
    op,
    left,
    right,
  )
}

/** `-x`, `+x`, `NOT x`. */
export function bindUnary(op: string, expr: Expr): Expr {
  const rest = { nullable: expr.nullable, place: expr.place, ...marksOf([expr]) }
  if (op === 'Not')
    return { ...rest, sql: `(NOT ${truth(expr).sql})`, type: BOOLEAN, name: `NOT ${expr.name}` }
  const type = plain(expr.type)
  if (op === 'Plus') {
    if (isNumeric(type) || isSpan(type) || isPoint(type)) return expr
    throw planError('Unary operator + only supports numeric, interval and timestamp types', expr.place)
  }
  if (op !== 'Minus') throw planError(`Unsupported SQL unary operator ${op}`, expr.place)
  const name = `(- ${expr.name})`
  const span = expr.constant?.value
  if (typeof span === 'object' && span !== null && 'months' in span) {
    return {
      ...intervalLiteral({ months: -span.months, days: -span.days, nanoseconds: -span.nanoseconds }),
      place: expr.place,
    }
  }
  if (type.kind === 'Interval')
    return { ...rest, sql: `mm_interval_sub({'m': 0, 'd': 0, 'n': 0::BIGINT}, ${expr.sql})`, type, name }
  if (type.kind === 'Null') return { ...rest, sql: expr.sql, type, name }
  if (!(isNumeric(type) || type.kind === 'Duration') || type.kind.startsWith('U')) {
    throw planError('Negation only supports numeric, interval and timestamp types', expr.place)
  }
  const value = expr.constant?.value
  if (typeof value === 'number')
    return { ...rest, sql: constantSql(-value, type), type, name, constant: { value: -value } }
  if (typeof value === 'bigint')
    return { ...rest, sql: constantSql(-value, type), type, name, constant: { value: -value } }
  return {
    ...rest,
    sql: `CAST(-(${expr.sql}) AS ${duckType(type)})`,
    type: sameType(type, expr.type) ? expr.type : type,
    name,
  }
}
