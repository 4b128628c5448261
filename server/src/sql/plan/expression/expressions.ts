import { planError, SqlError, unsupported } from '../../sql-error.ts'
import {
  type ArrowType,
  BOOLEAN,
  isInteger,
  isString,
  plain,
  TIME_UTC,
  TIMESTAMP_NS,
  typeName,
} from '../../types/arrow-type.ts'
import { commonOf, comparisonType } from '../../types/coercion.ts'
import { sqlType } from '../../types/sql-type.ts'
import { type Ast, type Ident, kindOf, nameOf } from '../ast.ts'
import type { Env } from '../context.ts'
import { bindExists, bindInSubquery, bindQuantified, bindScalarSubquery } from '../query/subqueries.ts'
import { bindUnary } from './arithmetic.ts'
import { bindCall, callScalar } from './calls.ts'
import { bindCase } from './case.ts'
import { cast } from './cast.ts'
import { type Expr, isConstant, marksOf } from './expr.ts'
import { bindLiteral, intervalLiteral, numberLiteral, textLiteral } from './literals.ts'
import { bindBinary, bindLike, comparable, isDistinct } from './operators.ts'
import { parseInterval } from './temporal-text.ts'
import { truth } from './truth.ts'

type Reader = (node: Ast, env: Env) => Expr

/** Gives an expression of the query its type and its form in DuckDB's SQL. */
export function bindExpr(node: Ast, env: Env): Expr {
  const kind = kindOf(node)
  const reader = READERS[kind]
  if (reader === undefined) throw unsupported(`Unsupported ast node in sqltorel: ${kind}`)
  return reader(node[kind], env)
}

const is =
  (suffix: string, sql: (operand: string) => string, logical: boolean): Reader =>
  (node, env) => {
    const expr = bindExpr(node, env)
    const operand = logical ? truth(expr, `the operand of ${suffix}`) : expr
    return {
      sql: sql(operand.sql),
      type: BOOLEAN,
      nullable: false,
      name: `${expr.name} ${suffix}`,
      place: expr.place,
      ...marksOf([expr]),
    }
  }

const READERS: Readonly<Record<string, Reader>> = {
  Identifier: (node: Ident, env) => bindName([node], env),
  CompoundIdentifier: (node: Ident[], env) => bindName(node, env),
  Value: (node) => bindLiteral(node.value),
  Nested: (node, env) => bindExpr(node, env),
  UnaryOp: (node, env) => {
    const number = node.op === 'Minus' ? node.expr.Value?.value?.Number : undefined
    if (number !== undefined) return numberLiteral(number[0] as string, true)
    return bindUnary(node.op as string, bindExpr(node.expr, env))
  },
  BinaryOp: (node, env) => bindBinaryChain(node, env),
  IsNull: is('IS NULL', (x) => `(${x} IS NULL)`, false),
  IsNotNull: is('IS NOT NULL', (x) => `(${x} IS NOT NULL)`, false),
  IsTrue: is('IS TRUE', (x) => `(${x} IS NOT DISTINCT FROM true)`, true),
  IsFalse: is('IS FALSE', (x) => `(${x} IS NOT DISTINCT FROM false)`, true),
  IsNotTrue: is('IS NOT TRUE', (x) => `(${x} IS DISTINCT FROM true)`, true),
  IsNotFalse: is('IS NOT FALSE', (x) => `(${x} IS DISTINCT FROM false)`, true),
  IsUnknown: is('IS UNKNOWN', (x) => `(${x} IS NULL)`, true),
  IsNotUnknown: is('IS NOT UNKNOWN', (x) => `(${x} IS NOT NULL)`, true),
  IsDistinctFrom: ([left, right]: [Ast, Ast], env) =>
    isDistinct(bindExpr(left, env), bindExpr(right, env), false),
  IsNotDistinctFrom: ([left, right]: [Ast, Ast], env) =>
    isDistinct(bindExpr(left, env), bindExpr(right, env), true),
  Between: (node, env) => bindBetween(node, env),
  InList: (node, env) => bindInList(node, env),
  InSubquery: (node, env) => bindInSubquery(node, bindExpr(node.expr, env), env),
  Exists: (node, env) => bindExists(node, env),
  Subquery: (node, env) => bindScalarSubquery(node, env),
  AnyOp: (node, env) => bindQuantified(node, 'any', env),
  AllOp: (node, env) => bindQuantified(node, 'all', env),
  Like: (node, env) => like(node, env, false),
  ILike: (node, env) => like(node, env, true),
  SimilarTo: () => {
    throw unsupported('Unsupported ast node in sqltorel: SimilarTo')
  },
  RLike: (node, env) => {
    const match = bindBinary('PGRegexMatch', bindExpr(node.expr, env), bindExpr(node.pattern, env))
    return node.negated ? bindUnary('Not', match) : match
  },
  Case: (node, env) => bindCase(node, env),
  Cast: (node, env) => bindCast(node, env),
  TypedString: (node, env) => bindTypedString(node, env),
  Interval: (node, env) => bindIntervalLiteral(node, env),
  AtTimeZone: (node, env) => bindAtTimeZone(node, env),
  Extract: (node, env) => {
    const field = typeof node.field === 'string' ? node.field.toUpperCase() : extractField(node.field)
    return callScalar('date_part', [textLiteral(field), bindExpr(node.expr, env)], env)
  },
  Ceil: (node, env) => callScalar('ceil', [bindExpr(node.expr, env)], env),
  Floor: (node, env) => callScalar('floor', [bindExpr(node.expr, env)], env),
  Position: (node, env) => callScalar('strpos', [bindExpr(node.in, env), bindExpr(node.expr, env)], env),
  Substring: (node, env) => {
    const from = node.substring_from ? bindExpr(node.substring_from, env) : numberLiteral('1', false)
    const parts = [bindExpr(node.expr, env), from]
    if (node.substring_for) parts.push(bindExpr(node.substring_for, env))
    return callScalar('substr', parts, env)
  },
  Trim: (node, env) => {
    const name = { Leading: 'ltrim', Trailing: 'rtrim' }[String(node.trim_where)] ?? 'btrim'
    const what = node.trim_what ?? node.trim_characters?.[0]
    const parts = [bindExpr(node.expr, env), ...(what ? [bindExpr(what, env)] : [])]
    return callScalar(name, parts, env)
  },
  Overlay: (node, env) => {
    const parts = [node.expr, node.overlay_what, node.overlay_from, node.overlay_for]
    return callScalar(
      'overlay',
      parts.filter(Boolean).map((part: Ast) => bindExpr(part, env)),
      env,
    )
  },
  Function: (node, env) => bindCall(node, env),
  Array: (node, env) =>
    callScalar(
      'make_array',
      (node.elem as Ast[]).map((e) => bindExpr(e, env)),
      env,
    ),
  Struct: (node, env) => {
    const values = (node.values as Ast[]).map((value) => bindExpr(value, env))
    return callScalar('struct', values, env)
  },
  Tuple: (node: Ast[], env) =>
    callScalar(
      'struct',
      node.map((part) => bindExpr(part, env)),
      env,
    ),
  Dictionary: (node: Ast[], env) =>
    callScalar(
      'named_struct',
      node.flatMap((member) => [textLiteral(nameOf(member.key)), bindExpr(member.value, env)]),
      env,
    ),
  Map: (node, env) => {
    const entries = node.entries as Ast[]
    const list = (of: 'key' | 'value'): Expr =>
      callScalar(
        'make_array',
        entries.map((entry) => bindExpr(entry[of], env)),
        env,
      )
    return callScalar('map', [list('key'), list('value')], env)
  },
  CompoundFieldAccess: (node, env) => {
    let expr = bindExpr(node.root, env)
    for (const access of node.access_chain as Ast[]) expr = bindAccess(expr, access, env)
    return expr
  },
  Convert: () => {
    throw unsupported('Unsupported ast node in sqltorel: Convert')
  },
  GroupingSets: () => grouping(),
  Cube: () => grouping(),
  Rollup: () => grouping(),
}

function grouping(): never {
  throw planError('GROUPING SETS, CUBE and ROLLUP stand in GROUP BY only')
}

function extractField(field: Ast): string {
  const kind = kindOf(field)
  return (kind === 'Custom' ? nameOf(field.Custom) : kind).toUpperCase()
}

/** A long chain of operators is a deep tree to the left: it is walked without recursion. */
function bindBinaryChain(node: Ast, env: Env): Expr {
  const pending: { op: Ast; right: Ast }[] = []
  let left: Ast = { BinaryOp: node }
  while (left.BinaryOp !== undefined) {
    pending.push({ op: left.BinaryOp.op, right: left.BinaryOp.right })
    left = left.BinaryOp.left
  }
  let expr = bindExpr(left, env)
  for (let i = pending.length - 1; i >= 0; i--) {
    const { op, right } = pending[i]!
    const name = kindOf(op)
    if (name === 'Custom' || name === 'PGCustomBinaryOperator') {
      throw unsupported(`Unsupported SQL binary operator ${JSON.stringify(op)}`)
    }
    expr = bindBinary(name, expr, bindExpr(right, env))
  }
  return expr
}

function bindName(idents: readonly Ident[], env: Env): Expr {
  const { scope } = env
  if (idents.length === 1) {
    const name = nameOf(idents[0]!)
    if (scope.find(name, undefined) === undefined && !idents[0]!.quote_style) {
      const constant = ['current_timestamp', 'current_date', 'current_time'].includes(name)
      if (constant) return callScalar(name, [], env)
    }
    return scope.resolve(idents)
  }
  // `a.b` is a column of a table, or a member of a column.
  const [first, second] = [nameOf(idents[0]!), nameOf(idents[1]!)]
  const members = (expr: Expr, from: number): Expr => {
    let value = expr
    for (const part of idents.slice(from)) value = member(value, nameOf(part), env)
    return value
  }
  if (scope.find(second, first) !== undefined) return members(scope.resolve(idents.slice(0, 2)), 2)
  if (idents.length > 2) {
    const third = nameOf(idents[2]!)
    if (scope.find(third, second) !== undefined) return members(scope.resolve(idents.slice(1, 3)), 3)
    const fourth = idents[3] && nameOf(idents[3])
    if (fourth !== undefined && scope.find(fourth, third) !== undefined) {
      return members(scope.resolve(idents.slice(2, 4)), 4)
    }
  }
  const column = scope.find(first, undefined)
  if (column !== undefined && ['Struct', 'Map'].includes(column.type.kind)) {
    return members(scope.resolve(idents.slice(0, 1)), 1)
  }
  return scope.resolve(idents)
}

function member(expr: Expr, name: string, env: Env): Expr {
  return callScalar('get_field', [expr, textLiteral(name)], env)
}

function bindAccess(expr: Expr, access: Ast, env: Env): Expr {
  if (access.Dot !== undefined) {
    const dot = access.Dot
    const name = dot.Identifier
      ? nameOf(dot.Identifier)
      : (dot.Value?.value?.SingleQuotedString as string | undefined)
    if (name === undefined) throw planError('A member is named by a word', expr.place)
    return member(expr, name, env)
  }
  const subscript = access.Subscript
  if (subscript.Slice !== undefined) {
    const { lower_bound: lower, upper_bound: upper, stride } = subscript.Slice
    const parts = [
      expr,
      lower ? bindExpr(lower, env) : numberLiteral('1', false),
      upper ? bindExpr(upper, env) : callScalar('array_length', [expr], env),
      stride ? bindExpr(stride, env) : numberLiteral('1', false),
    ]
    return callScalar('array_slice', parts, env)
  }
  const index = bindExpr(subscript.Index.index, env)
  const isMember = expr.type.kind === 'Struct' || expr.type.kind === 'Map' || isString(plain(index.type))
  const call = callScalar(isMember ? 'get_field' : 'array_element', [expr, index], env)
  if (isMember) return call
  const aggregated = /^array_agg\((.*?)\)(?= ORDER BY \[| FILTER \(|$)/s.exec(expr.name)
  // The reference picks the element while it aggregates.
  if (aggregated !== null) {
    const rest = expr.name.slice(aggregated[0].length)
    return { ...call, name: `nth_value(${aggregated[1]},${index.name})${rest}` }
  }
  return { ...call, name: `${expr.name}[${index.name}]` }
}

function like(node: Ast, env: Env, ignoreCase: boolean): Expr {
  if (node.any) throw unsupported('ANY in LIKE expression')
  const given = node.escape_char
  return bindLike(bindExpr(node.expr, env), bindExpr(node.pattern, env), {
    negated: node.negated as boolean,
    ignoreCase,
    escapeWith:
      given == null ? undefined : (given.value?.SingleQuotedString ?? given.SingleQuotedString ?? given),
  })
}

function bindBetween(node: Ast, env: Env): Expr {
  const expr = bindExpr(node.expr, env)
  const low = bindExpr(node.low, env)
  const high = bindExpr(node.high, env)
  const [a, lower] = comparable('BETWEEN', expr, low)
  const [b, upper] = comparable('BETWEEN', expr, high)
  const sql = `(${a.sql} >= ${lower.sql} AND ${b.sql} <= ${upper.sql})`
  return {
    sql: node.negated ? `(NOT ${sql})` : sql,
    type: BOOLEAN,
    nullable: expr.nullable || low.nullable || high.nullable,
    name: `${expr.name} ${node.negated ? 'NOT ' : ''}BETWEEN ${low.name} AND ${high.name}`,
    place: expr.place,
    ...marksOf([expr, low, high]),
  }
}

function bindInList(node: Ast, env: Env): Expr {
  const expr = bindExpr(node.expr, env)
  const list = (node.list as Ast[]).map((item) => bindExpr(item, env))
  const type = commonOf([expr.type, ...list.map((item) => item.type)], comparisonType)
  if (type === undefined) {
    throw planError(
      `Can not find compatible types to compare ${typeName(expr.type)} with [${list.map((item) => typeName(item.type)).join(', ')}]`,
      expr.place,
    )
  }
  const all = list.map((item) => (list.length === 1 ? comparable('IN', expr, item)[1] : cast(item, type)))
  const left = list.length === 1 ? comparable('IN', expr, list[0]!)[0] : cast(expr, type)
  return {
    sql: `(${left.sql} ${node.negated ? 'NOT IN' : 'IN'} (${all.map((item) => item.sql).join(', ')}))`,
    type: BOOLEAN,
    nullable: expr.nullable || list.some((item) => item.nullable),
    name: `${expr.name} ${node.negated ? 'NOT IN' : 'IN'} ${list.map((item) => item.name).join(', ')}`,
    place: expr.place,
    ...marksOf([expr, ...list]),
  }
}

function bindCast(node: Ast, env: Env): Expr {
  const expr = bindExpr(node.expr, env)
  const target = sqlType(node.data_type)
  const lenient = node.kind === 'TryCast' || node.kind === 'SafeCast'
  // An integer as a time counts seconds, as in Postgres.
  const seconds = isInteger(plain(expr.type)) && target.kind === 'Timestamp'
  const converted = seconds
    ? cast(cast(expr, { kind: 'Timestamp', unit: 's', tz: target.tz }), target, lenient)
    : cast(expr, target, lenient)
  return { ...converted, name: expr.name, display: castName(expr, target) }
}

function castName(expr: Expr, target: ArrowType): string {
  return `CAST(${expr.display ?? expr.name} AS ${typeName(target)})`
}

function bindTypedString(node: Ast, env: Env): Expr {
  const text = bindExpr({ Value: node.value }, env)
  const target = sqlType(node.data_type)
  return { ...cast(text, target), name: text.name, display: castName(text, target) }
}

function bindIntervalLiteral(node: Ast, env: Env): Expr {
  const value = bindExpr(node.value, env)
  if (!isConstant(value)) throw unsupported('INTERVAL expression cannot be BinaryOperator. Expected Value')
  const unit = node.leading_field ? extractField(node.leading_field).toLowerCase() : undefined
  const interval = parseInterval(String(value.constant.value), unit)
  if (interval === undefined) {
    const text = `Invalid input syntax for type interval: "${String(value.constant.value)}"`
    throw new SqlError('INTERNAL', `Arrow error: Parser error: ${text}`)
  }
  return intervalLiteral(interval)
}

function bindAtTimeZone(node: Ast, env: Env): Expr {
  const expr = bindExpr(node.timestamp, env)
  const zone = bindExpr(node.time_zone, env).constant?.value
  if (typeof zone !== 'string') throw planError('A time zone is a text', expr.place)
  const target: ArrowType = { kind: 'Timestamp', unit: 'ns', tz: zone }
  const from = plain(expr.type).kind === 'Timestamp' ? expr : cast(expr, TIMESTAMP_NS)
  return { ...cast(from, zone === '+00:00' ? TIME_UTC : target), name: expr.name }
}
