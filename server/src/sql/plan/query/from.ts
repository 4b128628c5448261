import { planError, unsupported } from '../../sql-error.ts'
import { typeName } from '../../types/arrow-type.ts'
import { comparisonType } from '../../types/coercion.ts'
import { type Ast, kindOf, nameOf, objectName, placeOf } from '../ast.ts'
import type { BoundQuery, Env } from '../context.ts'
import type { Column, Expr, Relation } from '../expression/expr.ts'
import { comparable } from '../expression/operators.ts'
import { truth } from '../expression/truth.ts'
import { Scope } from '../scope.ts'

/** A scan of a table whose rows no outer join can lack: its columns by DuckDB's name for them. */
export interface HintedScan {
  readonly names: ReadonlyMap<string, string>
  readonly hints: Map<string, unknown>
  readonly isByTime: boolean
}

export interface FromRelation extends Relation {
  readonly scans: readonly HintedScan[]
}

/** Everything after FROM as one relation; `undefined` without FROM. */
export function bindFrom(
  nodes: readonly Ast[],
  env: Env,
  outer: Scope | undefined,
): FromRelation | undefined {
  let left: FromRelation | undefined
  for (const node of nodes) {
    const right = bindJoins(node, env, outer, left)
    left =
      left === undefined
        ? right
        : {
            sql: `${left.sql} CROSS JOIN ${right.sql}`,
            columns: [...left.columns, ...right.columns],
            scans: [...left.scans, ...right.scans],
          }
  }
  return left
}

function bindJoins(
  node: Ast,
  env: Env,
  outer: Scope | undefined,
  before: FromRelation | undefined,
): FromRelation {
  let left = bindRelation(node.relation, env, visible(before, outer))
  for (const join of node.joins as Ast[]) {
    const right = bindRelation(join.relation, env, visible(left, visible(before, outer)))
    left = bindJoin(left, right, join.join_operator, env, outer)
  }
  return (node.joins as Ast[]).length > 0 ? { ...left, sql: `(${left.sql})` } : left
}

/** What a LATERAL query or a table function's arguments may refer to. */
function visible(relation: FromRelation | undefined, outer: Scope | undefined): Scope | undefined {
  return relation === undefined ? outer : new Scope(relation.columns, outer)
}

function bindRelation(node: Ast, env: Env, lateral: Scope | undefined): FromRelation {
  const kind = kindOf(node)
  switch (kind) {
    case 'Table':
      return bindTable(node.Table, env, lateral)
    case 'Derived': {
      const { subquery, alias, lateral: isLateral } = node.Derived
      const outer = isLateral ? lateral : undefined
      const bound = env.ctx.bindQuery(subquery, env.ctes, outer)
      return fromQuery(bound, alias, env, isLateral ? 'LATERAL ' : '')
    }
    case 'NestedJoin': {
      const joined = bindJoins(node.NestedJoin.table_with_joins, env, lateral, undefined)
      if (!node.NestedJoin.alias) return joined
      const name = nameOf(node.NestedJoin.alias.name)
      return { ...joined, columns: joined.columns.map((column) => ({ ...column, qualifier: name })) }
    }
    case 'UNNEST':
      return bindUnnest(node.UNNEST, env, lateral)
    case 'TableFunction':
    case 'Function': {
      const { name, args, alias } = node[kind]
      return bindTable({ name, args: { args }, alias }, env, lateral)
    }
    default:
      throw unsupported(`Unsupported ast node ${kind} in create_relation`)
  }
}

function bindTable(node: Ast, env: Env, lateral: Scope | undefined): FromRelation {
  const idents = objectName(node.name)
  const name = nameOf(idents.at(-1)!)
  const place = placeOf(idents[0])
  const { ctx } = env
  if (node.args) {
    const inner: Env = { ...env, scope: lateral ?? new Scope([]) }
    const args = (node.args.args as Ast[]).map((arg) => {
      const value = kindOf(arg) === 'Unnamed' ? arg.Unnamed : arg[kindOf(arg)].arg
      return ctx.bindExpr(value.Expr, inner)
    })
    if (name === 'unnest') return unnest(args, node.alias, env)
    const source = ctx.catalog.tableFunction(name, args, place)
    if (source === undefined) throw planError(`table function '${name}' not found`, place)
    return scan(source, node.alias, `${name}()`, env)
  }
  const schema = idents.length > 1 ? nameOf(idents.at(-2)!) : undefined
  const cte = schema === undefined ? env.ctes.get(name) : undefined
  if (cte !== undefined) return fromQuery(cte, node.alias ?? { name: idents.at(-1), columns: [] }, env, '')
  const source = ctx.catalog.table(name, schema)
  if (source === undefined) {
    const full = idents.length > 2 ? idents.map(nameOf).join('.') : `datafusion.${schema ?? 'public'}.${name}`
    throw planError(`table '${full}' not found${ctx.catalog.hint(name, schema)}`, place)
  }
  return scan(source, node.alias, name, env)
}

function scan(source: Parameters<Env['ctx']['scan']>[0], alias: Ast, usual: string, env: Env): FromRelation {
  const relation = env.ctx.scan(source, alias ? nameOf(alias.name) : usual)
  const columns = renamed(relation.columns, alias)
  const names = new Map(relation.columns.map((column) => [column.sql, column.name]))
  return {
    sql: relation.sql,
    columns,
    scans: [{ names, hints: relation.hints, isByTime: source.isByTime === true }],
  }
}

function renamed(columns: readonly Column[], alias: Ast): Column[] {
  const names = (alias?.columns ?? []) as Ast[]
  if (names.length > 0 && names.length !== columns.length) {
    throw planError(
      `Source table contains ${columns.length} columns but ${names.length} names given as column alias`,
    )
  }
  return columns.map((column, i) => (names[i] ? { ...column, name: nameOf(names[i].name) } : column))
}

function fromQuery(bound: BoundQuery, alias: Ast, env: Env, lateral: string): FromRelation {
  const name = env.ctx.nextAlias()
  const qualifier = alias ? nameOf(alias.name) : undefined
  const columns = bound.fields.map((field, i) => ({
    ...field,
    qualifier: qualifier ?? field.qualifier,
    sql: `${name}.c${i}`,
  }))
  return { sql: `${lateral}(${bound.sql}) AS ${name}`, columns: renamed(columns, alias), scans: [] }
}

function bindUnnest(node: Ast, env: Env, lateral: Scope | undefined): FromRelation {
  const inner: Env = { ...env, scope: lateral ?? new Scope([]) }
  const args = (node.array_exprs as Ast[]).map((expr) => env.ctx.bindExpr(expr, inner))
  return unnest(args, node.alias, env)
}

function unnest(args: readonly Expr[], alias: Ast, env: Env): FromRelation {
  const name = env.ctx.nextAlias()
  const list = args.map(({ sql, type, place }, i) => {
    if (type.kind !== 'List') throw planError('unnest() can only be applied to array, struct and null', place)
    return `unnest(${sql}) AS c${i}`
  })
  const columns = args.map((arg, i) => ({
    name: `UNNEST(${arg.name})`,
    qualifier: alias ? nameOf(alias.name) : undefined,
    type: arg.type.kind === 'List' ? arg.type.item.type : arg.type,
    nullable: true,
    sql: `${name}.c${i}`,
  }))
  return {
    sql: `LATERAL (SELECT ${list.join(', ')}) AS ${name}`,
    columns: renamed(columns, alias),
    scans: [],
  }
}

const KINDS: Readonly<Record<string, string>> = {
  Join: 'INNER JOIN',
  Inner: 'INNER JOIN',
  Left: 'LEFT JOIN',
  LeftOuter: 'LEFT JOIN',
  Right: 'RIGHT JOIN',
  RightOuter: 'RIGHT JOIN',
  FullOuter: 'FULL JOIN',
  LeftSemi: 'SEMI JOIN',
  Semi: 'SEMI JOIN',
  LeftAnti: 'ANTI JOIN',
  Anti: 'ANTI JOIN',
}

function bindJoin(
  left: FromRelation,
  right: FromRelation,
  operator: Ast,
  env: Env,
  outer: Scope | undefined,
): FromRelation {
  const kind = kindOf(operator)
  const columns = [...left.columns, ...right.columns]
  if (kind === 'CrossJoin') {
    return { sql: `${left.sql} CROSS JOIN ${right.sql}`, columns, scans: [...left.scans, ...right.scans] }
  }
  const word = KINDS[kind]
  if (word === undefined) throw unsupported(`Unsupported JOIN operator ${kind}`)
  const constraint = operator[kind]
  const optional = (side: readonly Column[]): Column[] =>
    side.map((column) => ({ ...column, nullable: true }))
  const nullableLeft = word.startsWith('RIGHT') || word.startsWith('FULL')
  const nullableRight = word.startsWith('LEFT') || word.startsWith('FULL')
  const all = [
    ...(nullableLeft ? optional(left.columns) : left.columns),
    ...(nullableRight ? optional(right.columns) : right.columns),
  ]
  const kept = word.startsWith('SEMI') || word.startsWith('ANTI') ? [...left.columns] : all
  const scans = [...(nullableLeft ? [] : left.scans), ...(nullableRight ? [] : right.scans)]
  if (kindOf(constraint) === 'On') {
    const scope = new Scope(columns, outer)
    const on = truth(env.ctx.bindExpr(constraint.On, { ...env, scope }), 'a join condition')
    return { sql: `${left.sql} ${word} ${right.sql} ON ${on.sql}`, columns: kept, scans }
  }
  const names =
    kindOf(constraint) === 'Using'
      ? (constraint.Using as Ast[]).map((name) => nameOf(objectName(name).at(-1)!))
      : kindOf(constraint) === 'Natural'
        ? left.columns.map(({ name }) => name).filter((name) => right.columns.some((c) => c.name === name))
        : undefined
  if (names === undefined) {
    if (word === 'INNER JOIN') {
      return { sql: `${left.sql} CROSS JOIN ${right.sql}`, columns, scans }
    }
    throw unsupported('NONE constraint is not supported')
  }
  const on = names.map((name) => equalColumns(left, right, name))
  const hidden = kept.map((column) =>
    names.includes(column.name) && right.columns.some((c) => c.sql === column.sql)
      ? { ...column, hidden: true }
      : column,
  )
  const sql = `${left.sql} ${word} ${right.sql} ON ${on.length > 0 ? on.join(' AND ') : 'true'}`
  return { sql, columns: hidden, scans }
}

function equalColumns(left: FromRelation, right: FromRelation, name: string): string {
  const find = (relation: FromRelation): Expr => {
    const column = new Scope(relation.columns).find(name, undefined)
    if (column === undefined) throw new Scope(relation.columns).unknown(name, undefined)
    column.use?.()
    return { ...column, name }
  }
  const [a, b] = [find(left), find(right)]
  if (comparisonType(a.type, b.type) === undefined) {
    throw planError(`Cannot join on ${name}: ${typeName(a.type)} and ${typeName(b.type)} have no common type`)
  }
  const [x, y] = comparable('=', a, b)
  return `${x.sql} = ${y.sql}`
}
