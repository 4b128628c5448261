import { planError } from '../../sql-error.ts'
import { BOOLEAN, typeName } from '../../types/arrow-type.ts'
import { comparisonType } from '../../types/coercion.ts'
import { duckType } from '../../types/duck-type.ts'
import { type Ast, kindOf } from '../ast.ts'
import type { BoundQuery, Env } from '../context.ts'
import { cast } from '../expression/cast.ts'
import { type Expr, marksOf } from '../expression/expr.ts'
import { bindBinary } from '../expression/operators.ts'

/** `(SELECT …)` as a value: NULL for no row, an error for several. */
export function bindScalarSubquery(query: Ast, env: Env): Expr {
  const bound = env.ctx.bindQuery(query, env.ctes, env.scope)
  const field = onlyField(bound)
  return {
    sql: `(SELECT ${column(bound)} FROM (${bound.sql}) AS ${env.ctx.nextAlias()})`,
    type: field.type,
    nullable: true,
    name: field.qualifier === undefined ? field.name : field.name,
  }
}

export function bindExists(node: Ast, env: Env): Expr {
  const bound = env.ctx.bindQuery(node.subquery, env.ctes, env.scope)
  const not = node.negated ? 'NOT ' : ''
  return { sql: `(${not}EXISTS (${bound.sql}))`, type: BOOLEAN, nullable: false, name: `${not}EXISTS` }
}

export function bindInSubquery(node: Ast, expr: Expr, env: Env): Expr {
  const bound = env.ctx.bindQuery(node.subquery, env.ctes, env.scope)
  const field = onlyField(bound)
  const type = comparisonType(expr.type, field.type)
  if (type === undefined) {
    throw planError(
      `expr type ${typeName(expr.type)} can't cast to ${typeName(field.type)} in InSubquery`,
      expr.place,
    )
  }
  const item = cast({ sql: 'c0', type: field.type, nullable: true, name: '' }, type)
  const alias = env.ctx.nextAlias()
  return {
    sql: `(${cast(expr, type).sql} ${node.negated ? 'NOT IN' : 'IN'} (SELECT ${item.sql} FROM (${bound.sql}) AS ${alias}))`,
    type: BOOLEAN,
    nullable: true,
    name: node.negated ? 'NOT IN' : 'IN',
    place: expr.place,
    ...marksOf([expr]),
  }
}

const OPERATORS: Readonly<Record<string, string>> = {
  Eq: '=',
  NotEq: '!=',
  Lt: '<',
  LtEq: '<=',
  Gt: '>',
  GtEq: '>=',
}

/** `x = ANY (…)` over a query or a list. */
export function bindQuantified(node: Ast, quantifier: 'any' | 'all', env: Env): Expr {
  const left = env.ctx.bindExpr(node.left, env)
  const op = OPERATORS[kindOf(node.compare_op)]
  if (op === undefined) throw planError(`Unsupported operator for ${quantifier.toUpperCase()}`, left.place)
  const isQuery = kindOf(node.right) === 'Subquery'
  if (isQuery) {
    const bound = env.ctx.bindQuery(node.right.Subquery, env.ctes, env.scope)
    const field = onlyField(bound)
    const type = comparisonType(left.type, field.type)
    if (type === undefined) throw planError('Cannot compare with the rows of this query', left.place)
    const item = cast({ sql: 'c0', type: field.type, nullable: true, name: '' }, type)
    const alias = env.ctx.nextAlias()
    return {
      sql: `(${cast(left, type).sql} ${op} ${quantifier.toUpperCase()} (SELECT ${item.sql} FROM (${bound.sql}) AS ${alias}))`,
      type: BOOLEAN,
      nullable: true,
      name: `${left.name} ${op} ${quantifier.toUpperCase()}`,
      place: left.place,
    }
  }
  const list = env.ctx.bindExpr(node.right, env)
  if (list.type.kind !== 'List')
    throw planError(`${quantifier.toUpperCase()} takes a query or a list`, left.place)
  const item: Expr = { sql: 'e', type: list.type.item.type, nullable: true, name: '' }
  const test = bindBinary(kindOf(node.compare_op), left, item)
  const each = `list_transform(${list.sql}, lambda e: ${test.sql})`
  return {
    sql: `mm_${quantifier}(${each})`,
    type: BOOLEAN,
    nullable: true,
    name:
      op === '=' && quantifier === 'any'
        ? `array_has(${list.name},${left.name})`
        : `${left.name} ${op} ${quantifier.toUpperCase()}(${list.name})`,
    place: left.place,
    ...marksOf([left, list]),
  }
}

function onlyField(bound: BoundQuery): BoundQuery['fields'][number] {
  const [field, ...others] = bound.fields
  if (field === undefined || others.length > 0) {
    throw planError(
      `Too many columns! The subquery should only return one column, but found ${bound.fields.length}: ${bound.fields.map(({ name }) => name).join(', ')}`,
    )
  }
  return field
}

function column(bound: BoundQuery): string {
  const field = onlyField(bound)
  return field.type.kind === 'Null' ? `CAST(c0 AS ${duckType(field.type)})` : 'c0'
}
