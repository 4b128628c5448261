import { planError, schemaError, unsupported } from '../../sql-error.ts'
import { type Ast, type Ident, kindOf, nameOf, objectName, placeOf } from '../ast.ts'
import type { BoundField, BoundQuery, Ctes, Env, PlanContext, Top } from '../context.ts'
import { type Column, type Expr, isConstant } from '../expression/expr.ts'
import { truth } from '../expression/truth.ts'
import { displayName, refer, Scope } from '../scope.ts'
import { bindFrom, type FromRelation } from './from.ts'
import { hintsOf } from './scan-hints.ts'
import { sortKey, sortSql } from './sorting.ts'

interface Item {
  readonly expr: Expr
  readonly field: BoundField
  /** The name that GROUP BY, HAVING and ORDER BY may call it by. */
  readonly alias: string | undefined
}

/** ORDER BY and LIMIT, which belong to the query around the SELECT. */
export interface Tail {
  readonly order: readonly Ast[]
  readonly orderAll: Ast | undefined
  /** ` LIMIT … OFFSET …` in DuckDB's SQL, or nothing. */
  readonly limit: string
  /** The numbers of it that are known. */
  readonly rows?: { readonly limit?: number | undefined; readonly offset?: number | undefined } | undefined
}

/** Binds a SELECT with the ORDER BY and LIMIT that follow it. */
export function bindSelect(
  node: Ast,
  tail: Tail,
  ctx: PlanContext,
  ctes: Ctes,
  outer: Scope | undefined,
): BoundQuery {
  refuseUnknown(node)
  const from = bindFrom(node.from as Ast[], { ctx, scope: outer ?? new Scope([]), ctes }, outer)
  const scope = new Scope(from?.columns ?? [], outer)
  const windows = new Map<string, Ast>(
    ((node.named_window ?? []) as [Ident, Ast][]).map(([name, spec]) => [
      nameOf(name),
      spec.WindowSpec ?? spec,
    ]),
  )
  const env: Env = { ctx, scope, ctes, windows }
  const where = node.selection ? truth(ctx.bindExpr(node.selection, env), 'a condition') : undefined
  if (where?.aggregates || where?.windows) {
    throw planError('Aggregate and window functions cannot stand in WHERE', where.place)
  }
  if (node.selection && from) hintsOf(node.selection, env, from)
  const bound = bindProjection(node.projection as Ast[], env)
  checkNames(bound)
  const grouped = node.group_by.Expressions?.[0]?.length !== 0 || bound.some(({ expr }) => expr.aggregates)
  const { items, lateral } = grouped ? unnested(bound, ctx) : { items: bound, lateral: '' }

  const aliased = new Scope(aliasColumns(items, scope), scope)
  const aliasEnv: Env = { ...env, scope: aliased }
  const groups = bindGroups(node.group_by, items, aliasEnv)
  const having = node.having ? truth(ctx.bindExpr(node.having, aliasEnv), 'a condition') : undefined
  const qualify = node.qualify ? truth(ctx.bindExpr(node.qualify, aliasEnv), 'a condition') : undefined
  const { order, first } = bindOrder(tail, items, env, node.distinct != null)

  const distinct = bindDistinct(node.distinct, aliasEnv)
  // An aggregate whose value is known beforehand, such as its type, still makes one row of all.
  const whole =
    groups === '' && (having?.aggregates || items.some(({ expr }) => expr.aggregates))
      ? 'count(*) >= 0'
      : undefined
  const kept = [having?.sql, whole].filter((condition) => condition !== undefined)
  const list = items.map(({ expr }, i) => `${expr.sql} AS c${i}`)
  const parts = [
    `SELECT ${distinct}${list.length > 0 ? list.join(', ') : 'NULL AS none'}`,
    from === undefined && lateral === '' ? '' : `FROM ${from?.sql ?? '(SELECT 1)'}${lateral}`,
    where === undefined ? '' : `WHERE ${where.sql}`,
    groups === '' ? '' : `GROUP BY ${groups}`,
    kept.length === 0 ? '' : `HAVING ${kept.join(' AND ')}`,
    qualify === undefined ? '' : `QUALIFY ${qualify.sql}`,
    order === '' ? '' : `ORDER BY ${order}`,
  ]
  const sql = parts.filter(Boolean).join(' ') + tail.limit
  const isPlain =
    !grouped && distinct === '' && having === undefined && qualify === undefined && lateral === ''
  const keepsRows = isPlain && items.every(({ expr }) => !expr.windows && !expr.aggregates)
  const isAlone = from !== undefined && node.from.length === 1 && node.from[0].joins.length === 0
  const top = keepsRows && isAlone ? topOf(from, tail, first) : undefined
  return { sql, fields: items.map(({ field }) => field), top }
}

/** Whether the rows are the first of one table by its time, see {@link Top}. */
function topOf(from: FromRelation, { rows }: Tail, first: FirstKey | undefined): Top | undefined {
  const [scan] = from.scans
  const { limit, offset } = rows ?? {}
  if (scan === undefined || !scan.isByTime) return undefined
  if (first === undefined || scan.names.get(first.sql) !== 'time') return undefined
  if (limit === undefined || offset === undefined) return undefined
  return { direction: first.descending ? 'newest' : 'oldest', limit, offset }
}

function refuseUnknown(node: Ast): void {
  const refused: readonly (readonly [string, string])[] = [
    ['into', 'SELECT INTO'],
    ['top', 'TOP'],
    ['prewhere', 'PREWHERE'],
  ]
  for (const [member, name] of refused) if (node[member]) throw unsupported(name)
  const lists: readonly (readonly [string, string])[] = [
    ['lateral_views', 'LATERAL VIEWS'],
    ['cluster_by', 'CLUSTER BY'],
    ['distribute_by', 'DISTRIBUTE BY'],
    ['sort_by', 'SORT BY'],
    ['connect_by', 'CONNECT BY'],
  ]
  for (const [member, name] of lists) if (node[member]?.length > 0) throw unsupported(name)
}

function bindProjection(nodes: readonly Ast[], env: Env): Item[] {
  return nodes.flatMap((node) => {
    const kind = kindOf(node)
    if (kind === 'Wildcard') return expandWildcard(node.Wildcard, undefined, env)
    if (kind === 'QualifiedWildcard') {
      const [target, options] = node.QualifiedWildcard as [Ast, Ast]
      if (!target.ObjectName) throw unsupported('A wildcard over an expression')
      return expandWildcard(options, objectName(target.ObjectName).at(-1), env)
    }
    if (kind === 'UnnamedExpr') return [unnamed(env.ctx.bindExpr(node.UnnamedExpr, env))]
    if (kind !== 'ExprWithAlias') throw unsupported(`${kind} in SELECT`)
    return [named(env.ctx.bindExpr(node.ExprWithAlias.expr, env), nameOf(node.ExprWithAlias.alias))]
  })
}

function unnamed(expr: Expr): Item {
  const { type, nullable, column } = expr
  return {
    expr,
    field: { name: column?.name ?? expr.name, type, nullable, qualifier: column?.qualifier },
    alias: undefined,
  }
}

function named(expr: Expr, alias: string): Item {
  return { expr, field: { name: alias, type: expr.type, nullable: expr.nullable }, alias }
}

/** `*` and `table.*`, with EXCEPT, EXCLUDE and REPLACE. */
function expandWildcard(options: Ast, table: Ident | undefined, env: Env): Item[] {
  const qualifier = table && nameOf(table)
  const all = env.scope.columns.filter((column) =>
    qualifier === undefined ? !column.hidden : column.qualifier === qualifier,
  )
  if (all.length === 0) {
    if (qualifier !== undefined)
      throw planError(`Invalid qualifier ${displayName(qualifier)}`, placeOf(table))
    throw planError('SELECT * with no tables specified is not valid')
  }
  const dropped = new Set([...excepted(options.opt_except), ...excluded(options.opt_exclude)])
  for (const name of dropped) {
    if (!all.some((column) => column.name === name)) throw env.scope.unknown(name, undefined)
  }
  const replaced = new Map<string, Expr>(
    ((options.opt_replace?.items ?? []) as Ast[]).map((item) => [
      nameOf(item.column_name),
      env.ctx.bindExpr(item.expr, env),
    ]),
  )
  return all
    .filter((column) => !dropped.has(column.name))
    .map((column) => {
      const replacement = replaced.get(column.name)
      return replacement === undefined ? unnamed(refer(column)) : named(replacement, column.name)
    })
}

function excepted(node: Ast): string[] {
  return node ? [node.first_element, ...node.additional_elements].map(nameOf) : []
}

function excluded(node: Ast): string[] {
  if (!node) return []
  const names = node.Single ? [node.Single] : (node.Multiple as Ast[])
  return names.map((name) => nameOf(objectName(name).at(-1)!))
}

function checkNames(items: readonly Item[]): void {
  const seen = new Map<string, number>()
  for (const [i, { expr, alias, field }] of items.entries()) {
    const name = alias ?? (expr.column === undefined ? expr.name : `${field.qualifier ?? ''}.${field.name}`)
    const first = seen.get(name)
    if (first !== undefined) {
      const shown = (item: Item): string =>
        item.alias === undefined ? item.expr.name : `${item.expr.name} AS ${item.alias}`
      throw planError(
        `Projections require unique expression names but the expression "${shown(items[first]!)}" at position ${first} and "${shown(items[i]!)}" at position ${i} have the same name. Consider aliasing ("AS") one of them.`,
        expr.place,
      )
    }
    seen.set(name, i)
  }
}

/** Where rows are grouped, lists are unnested before: as relations beside FROM. */
function unnested(items: readonly Item[], ctx: PlanContext): { items: Item[]; lateral: string } {
  const aliases = new Map<string, string>()
  for (const call of new Set(items.flatMap(({ expr }) => expr.unnests ?? [])))
    aliases.set(call, ctx.nextAlias())
  const replaced = items.map((item): Item => {
    let { sql } = item.expr
    for (const [call, alias] of aliases) sql = sql.replaceAll(call, `${alias}.c0`)
    return { ...item, expr: { ...item.expr, sql, unnests: undefined } }
  })
  const lateral = [...aliases].map(
    ([call, alias]) => ` CROSS JOIN LATERAL (SELECT ${call} AS c0) AS ${alias}`,
  )
  return { items: replaced, lateral: lateral.join('') }
}

/** Aliases that no column of FROM has: those win. */
function aliasColumns(items: readonly Item[], scope: Scope): Column[] {
  return items.flatMap(({ alias, expr }) => {
    if (alias === undefined || scope.columns.some((column) => column.name === alias)) return []
    return [{ ...asColumn(expr, alias, undefined) }]
  })
}

function asColumn(expr: Expr, name: string, qualifier: string | undefined): Column {
  return { name, qualifier, type: expr.type, nullable: expr.nullable, sql: expr.sql }
}

function bindGroups(node: Ast, items: readonly Item[], env: Env): string {
  const kind = kindOf(node)
  if (kind === 'All') {
    const keys = items.filter(({ expr }) => !expr.aggregates && !expr.windows && !isConstant(expr))
    return keys.map(({ expr }) => expr.sql).join(', ')
  }
  const [nodes, modifiers] = node.Expressions as [Ast[], Ast[]]
  if (modifiers.length > 0) throw unsupported('GROUP BY with modifiers')
  const one = (key: Ast): string => {
    const ordinal = key.Value?.value?.Number?.[0] as string | undefined
    if (ordinal !== undefined) return itemAt(ordinal, items, 'group by').expr.sql
    const expr = env.ctx.bindExpr(key, env)
    if (expr.aggregates || expr.windows) {
      throw planError('Aggregate functions are not allowed in GROUP BY', expr.place)
    }
    return isConstant(expr) ? `(${expr.sql})` : expr.sql
  }
  const sets = (lists: readonly Ast[][]): string =>
    lists.map((list) => `(${list.map(one).join(', ')})`).join(', ')
  return nodes
    .map((key) => {
      if (key.Rollup) return `ROLLUP (${sets(key.Rollup)})`
      if (key.Cube) return `CUBE (${sets(key.Cube)})`
      if (key.GroupingSets) return `GROUPING SETS (${sets(key.GroupingSets)})`
      if (key.Tuple?.length === 0) return '()'
      return one(key)
    })
    .join(', ')
}

function itemAt(ordinal: string, items: readonly Item[], clause: string): Item {
  const item = items[Number(ordinal) - 1]
  if (item === undefined) {
    throw planError(
      clause === 'order by'
        ? `Order by column out of bounds, specified: ${ordinal}, max: ${items.length}`
        : `Cannot find column with position ${ordinal} in SELECT clause. Valid columns: 1 to ${items.length}`,
    )
  }
  return item
}

function bindDistinct(node: Ast, env: Env): string {
  if (node == null || kindOf(node) === 'All') return ''
  if (kindOf(node) === 'Distinct') return 'DISTINCT '
  const keys = (node.On as Ast[]).map((key) => env.ctx.bindExpr(key, env).sql)
  return `DISTINCT ON (${keys.join(', ')}) `
}

/** The first of the sort keys: its expression, not the position of a column that is the same. */
interface FirstKey {
  readonly sql: string
  readonly descending: boolean
}

function bindOrder(
  tail: Tail,
  items: readonly Item[],
  env: Env,
  distinct: boolean,
): { readonly order: string; readonly first?: FirstKey | undefined } {
  if (tail.orderAll !== undefined) {
    const keys = items.map((_, i) => sortKey({ options: tail.orderAll }, position(i)))
    return { order: sortSql(keys) }
  }
  if (tail.order.length === 0) return { order: '' }
  const outputs = items.map(({ expr, field }) => asColumn(expr, field.name, field.qualifier))
  const scope = new OrderScope(outputs, env.scope)
  let first: FirstKey | undefined
  const keys = tail.order.map((node) => {
    const ordinal = node.expr.Value?.value?.Number?.[0] as string | undefined
    if (ordinal !== undefined)
      return sortKey(node, position(items.indexOf(itemAt(ordinal, items, 'order by'))))
    const expr = env.ctx.bindExpr(node.expr, { ...env, scope })
    if (node === tail.order[0]) first = { sql: expr.sql, descending: sortKey(node, expr).descending }
    const at = items.findIndex((item) => item.expr.sql === expr.sql)
    if (at >= 0) return sortKey(node, position(at))
    if (distinct) {
      throw planError(
        `For SELECT DISTINCT, ORDER BY expressions ${expr.name} must appear in select list`,
        expr.place,
      )
    }
    return sortKey(node, expr)
  })
  return { order: sortSql(keys), first }
}

/** Names in ORDER BY mean a column of the result first, then one of FROM. */
class OrderScope extends Scope {
  readonly #outputs: readonly Column[]

  constructor(outputs: readonly Column[], from: Scope) {
    super(
      [...outputs.filter((column) => !from.columns.some((c) => c.sql === column.sql)), ...from.columns],
      from.parent,
    )
    this.#outputs = outputs
  }

  override find(name: string, qualifier: string | undefined): Column | undefined {
    const found = this.#outputs.filter(
      (column) => column.name === name && (qualifier === undefined || column.qualifier === qualifier),
    )
    if (found.length > 1 && new Set(found.map(({ sql }) => sql)).size > 1) {
      throw schemaError(`Ambiguous reference to unqualified field ${displayName(name)}`)
    }
    return found[0] ?? super.find(name, qualifier)
  }
}

function position(index: number): Expr {
  return { sql: `${index + 1}`, type: { kind: 'Int64' }, nullable: true, name: '' }
}
