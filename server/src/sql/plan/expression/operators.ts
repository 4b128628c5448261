import { planError, SqlError } from '../../sql-error.ts'
import { type ArrowType, BOOLEAN, isInteger, isString, plain, typeName } from '../../types/arrow-type.ts'
import { bitwiseType, comparisonType, patternType, stringType } from '../../types/coercion.ts'
import { calculate } from './arithmetic.ts'
import { cast } from './cast.ts'
import { type Expr, isConstant, quote } from './expr.ts'
import { result } from './operation.ts'
import { truth } from './truth.ts'

const COMPARISONS: ReadonlyMap<string, string> = new Map([
  ['Eq', '='],
  ['NotEq', '!='],
  ['Lt', '<'],
  ['LtEq', '<='],
  ['Gt', '>'],
  ['GtEq', '>='],
  ['Spaceship', 'IS NOT DISTINCT FROM'],
])
const ARITHMETIC: ReadonlyMap<string, string> = new Map([
  ['Plus', '+'],
  ['Minus', '-'],
  ['Multiply', '*'],
  ['Divide', '/'],
  ['Modulo', '%'],
])
const BITWISE: ReadonlyMap<string, string> = new Map([
  ['BitwiseAnd', '&'],
  ['BitwiseOr', '|'],
  ['BitwiseXor', 'BIT_XOR'],
  ['PGBitwiseXor', 'BIT_XOR'],
  ['PGBitwiseShiftLeft', '<<'],
  ['PGBitwiseShiftRight', '>>'],
])
const REGEX: ReadonlyMap<string, readonly [symbol: string, negated: boolean, ignoreCase: boolean]> = new Map([
  ['PGRegexMatch', ['~', false, false]],
  ['PGRegexIMatch', ['~*', false, true]],
  ['PGRegexNotMatch', ['!~', true, false]],
  ['PGRegexNotIMatch', ['!~*', true, true]],
])
const LIKES: ReadonlyMap<string, readonly [symbol: string, duck: string]> = new Map([
  ['PGLikeMatch', ['~~', 'LIKE']],
  ['PGILikeMatch', ['~~*', 'ILIKE']],
  ['PGNotLikeMatch', ['!~~', 'NOT LIKE']],
  ['PGNotILikeMatch', ['!~~*', 'NOT ILIKE']],
])

/** `left op right`, by the name that the parser gives the operator. */
export function bindBinary(op: string, left: Expr, right: Expr): Expr {
  const comparison = COMPARISONS.get(op)
  if (comparison !== undefined) return compare(comparison, left, right)
  if (op === 'And' || op === 'Or') return logical(op.toUpperCase(), left, right)
  const arithmetic = ARITHMETIC.get(op)
  if (arithmetic !== undefined) return calculate(arithmetic, left, right)
  const bitwise = BITWISE.get(op)
  if (bitwise !== undefined) return bits(bitwise, left, right)
  const regex = REGEX.get(op)
  if (regex !== undefined) {
    const [symbol, negated, ignoreCase] = regex
    const [a, b] = texts('regex', symbol, left, right)
    const match = `regexp_matches(${a.sql}, ${regexSql(b)}${ignoreCase ? ", 'i'" : ''})`
    return result(negated ? `(NOT ${match})` : match, BOOLEAN, symbol, left, right)
  }
  const like = LIKES.get(op)
  if (like !== undefined) {
    const [a, b] = texts('regex', like[0], left, right)
    return result(`(${a.sql} ${like[1]} ${b.sql} ESCAPE '\\')`, BOOLEAN, like[0], left, right)
  }
  if (op === 'StringConcat') return concat(left, right)
  throw planError(`Unsupported SQL binary operator ${op}`, left.place)
}

/** A regular expression of Rust's syntax as RE2 reads it; the two agree on nearly everything. */
export function regexSql(pattern: Expr): string {
  if (isConstant(pattern) && typeof pattern.constant.value === 'string') {
    return quote(
      pattern.constant.value.replaceAll('(?<', (found, at: number, whole: string) =>
        /[=!]/.test(whole[at + 3] ?? '') ? found : '(?P<',
      ),
    )
  }
  return pattern.sql
}

/** Both sides in a type that they can be compared in. A constant takes the type of the column where it fits. */
export function comparable(op: string, left: Expr, right: Expr): [Expr, Expr] {
  const type = comparisonType(left.type, right.type)
  if (type === undefined) {
    throw planError(
      `Cannot infer common argument type for comparison operation ${typeName(left.type)} ${op} ${typeName(right.type)}`,
      left.place,
    )
  }
  return [narrow(left, type, right) ?? cast(left, type), narrow(right, type, left) ?? cast(right, type)]
}

/** Keeps a column as it is, so that the database can use what it knows of it. */
function narrow(expr: Expr, type: ArrowType, other: Expr): Expr | undefined {
  if (plain(expr.type).kind === plain(type).kind && plain(type).kind !== 'Timestamp') return expr
  if (
    isConstant(expr) &&
    !isConstant(other) &&
    isInteger(other.type) &&
    typeof expr.constant.value === 'bigint'
  ) {
    const narrowed = cast(expr, other.type)
    if (isConstant(narrowed)) return narrowed
  }
  if (isConstant(other) && isInteger(expr.type) && typeof other.constant.value === 'bigint') {
    if (isConstant(cast(other, expr.type))) return expr
  }
  return undefined
}

function compare(op: string, left: Expr, right: Expr): Expr {
  const [a, b] = comparable(op, left, right)
  const [x, y] = byteTexts(a, b)
  return result(`(${x} ${op} ${y})`, BOOLEAN, op, left, right)
}

/** NaN is the largest number and texts compare by their bytes in both, so no more is needed. */
function byteTexts(a: Expr, b: Expr): [string, string] {
  return [a.sql, b.sql]
}

export function isDistinct(left: Expr, right: Expr, negated: boolean): Expr {
  return compare(negated ? 'IS NOT DISTINCT FROM' : 'IS DISTINCT FROM', left, right)
}

function logical(op: string, left: Expr, right: Expr): Expr {
  for (const { type } of [left, right]) {
    if (type.kind !== 'Boolean' && type.kind !== 'Null') {
      throw planError(
        `Cannot infer common argument type for logical boolean operation ${typeName(left.type)} ${op} ${typeName(right.type)}`,
        left.place,
      )
    }
  }
  return result(`(${truth(left).sql} ${op} ${truth(right).sql})`, BOOLEAN, op, left, right)
}

function texts(what: string, op: string, left: Expr, right: Expr): [Expr, Expr] {
  const type = patternType(left.type, right.type)
  if (type === undefined) {
    throw planError(
      `Cannot infer common argument type for ${what} operation ${typeName(left.type)} ${op} ${typeName(right.type)}`,
      left.place,
    )
  }
  return [cast(left, type), cast(right, type)]
}

/** `[NOT] [I]LIKE`; the escape character is a backslash unless the query says another. */
export function bindLike(
  left: Expr,
  right: Expr,
  options: { negated: boolean; ignoreCase: boolean; escapeWith: string | undefined },
): Expr {
  const { negated, ignoreCase, escapeWith } = options
  const word = `${negated ? 'NOT ' : ''}${ignoreCase ? 'ILIKE' : 'LIKE'}`
  if (escapeWith !== undefined && [...escapeWith].length !== 1) {
    throw planError('Invalid escape character in LIKE expression', left.place)
  }
  if (escapeWith !== undefined && escapeWith !== '\\') {
    throw new SqlError(
      'INVALID_ARGUMENT',
      'Execution error: LIKE does not support escape_char other than the backslash (\\)',
    )
  }
  const [a, b] = texts('regex', word, left, right)
  const sql = `(${a.sql} ${word} ${b.sql} ESCAPE ${quote(escapeWith ?? '\\')})`
  const shown = result(sql, BOOLEAN, word, left, right)
  return escapeWith === undefined ? shown : { ...shown, name: `${shown.name} CHAR '${escapeWith}'` }
}

function bits(op: string, left: Expr, right: Expr): Expr {
  const type = bitwiseType(left.type, right.type)
  if (type === undefined) {
    throw planError(
      `Cannot infer common type for bitwise operation ${typeName(left.type)} ${op} ${typeName(right.type)}`,
      left.place,
    )
  }
  const [a, b] = [cast(left, type).sql, cast(right, type).sql]
  if (op === 'BIT_XOR') return result(`xor(${a}, ${b})`, type, op, left, right)
  if (op === '<<' || op === '>>') {
    const width = type.kind === 'UInt64' ? 'u' : ''
    return result(`mm_shift_${op === '<<' ? 'left' : 'right'}${width}(${a}, ${b})`, type, op, left, right)
  }
  return result(`(${a} ${op} ${b})`, type, op, left, right)
}

function concat(left: Expr, right: Expr): Expr {
  if (left.type.kind === 'List' || right.type.kind === 'List') return concatLists(left, right)
  const [a, b] = [plain(left.type), plain(right.type)]
  const type = stringType(a, b) ?? (isString(a) ? a : isString(b) ? b : undefined)
  if (type === undefined) {
    throw planError(
      `Cannot infer common string type for string concat operation ${typeName(left.type)} || ${typeName(right.type)}`,
      left.place,
    )
  }
  return result(`(${cast(left, type).sql} || ${cast(right, type).sql})`, type, '||', left, right)
}

function concatLists(left: Expr, right: Expr): Expr {
  const asList = (expr: Expr): ArrowType =>
    expr.type.kind === 'List'
      ? expr.type
      : { kind: 'List', item: { name: 'item', type: expr.type, nullable: true } }
  const type = comparisonType(asList(left), asList(right))
  if (type?.kind !== 'List') throw planError('Cannot concatenate these lists', left.place)
  const item = type.item.type
  const sql = (expr: Expr): string =>
    expr.type.kind === 'List' ? cast(expr, type).sql : `[${cast(expr, item).sql}]`
  const name = `array_${left.type.kind !== 'List' ? 'prepend' : right.type.kind !== 'List' ? 'append' : 'concat'}`
  return {
    ...result(`list_concat(${sql(left)}, ${sql(right)})`, type, '||', left, right),
    name: `${name}(${left.name},${right.name})`,
  }
}
