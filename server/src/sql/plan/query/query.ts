import { planError, unsupported } from '../../sql-error.ts'
import { type ArrowType, INT64 } from '../../types/arrow-type.ts'
import { commonOf, unionType } from '../../types/coercion.ts'
import { type Ast, kindOf, nameOf } from '../ast.ts'
import type { BoundField, BoundQuery, Ctes, Env, PlanContext } from '../context.ts'
import { cast } from '../expression/cast.ts'
import { type Column, type Expr, isConstant } from '../expression/expr.ts'
import { Scope } from '../scope.ts'
import { bindSelect, type Tail } from './select.ts'
import { sortKey, sortSql } from './sorting.ts'

/** Binds a whole query: WITH, SELECT or UNION, ORDER BY, LIMIT. */
export function bindQuery(query: Ast, ctx: PlanContext, ctes: Ctes, outer: Scope | undefined): BoundQuery {
  if (query.locks?.length > 0) throw unsupported('FOR UPDATE and FOR SHARE')
  if (query.pipe_operators?.length > 0) throw unsupported('Pipe operators')
  if (query.for_clause || query.settings || query.format_clause) throw unsupported('This clause of a query')
  const { definitions, visible } = bindWith(query.with, ctx, ctes, outer)
  const env: Env = { ctx, scope: new Scope([]), ctes: visible }
  const tail: Tail = { ...orderOf(query.order_by), ...bindLimit(query, env) }
  const bound = bindBody(query.body, tail, ctx, visible, outer)
  return definitions === '' ? bound : { ...bound, sql: `${definitions} ${bound.sql}` }
}

function orderOf(orderBy: Ast): Pick<Tail, 'order' | 'orderAll'> {
  if (!orderBy) return { order: [], orderAll: undefined }
  const kind = kindOf(orderBy.kind)
  if (kind === 'All') return { order: [], orderAll: orderBy.kind.All }
  return { order: orderBy.kind.Expressions as Ast[], orderAll: undefined }
}

function bindWith(
  node: Ast,
  ctx: PlanContext,
  ctes: Ctes,
  outer: Scope | undefined,
): { definitions: string; visible: Ctes } {
  if (!node) return { definitions: '', visible: ctes }
  const visible = new Map(ctes)
  const seen = new Set<string>()
  const definitions = (node.cte_tables as Ast[]).map((table) => {
    const name = nameOf(table.alias.name)
    if (seen.has(name)) {
      throw planError(`SQL error: WITH query name "${name}" specified more than once`)
    }
    seen.add(name)
    const alias = ctx.nextAlias()
    const names = ((table.alias.columns ?? []) as Ast[]).map((column) => nameOf(column.name))
    const isUnion = kindOf(table.query.body) === 'SetOperation' && node.recursive === true
    const recursive = isUnion && refersTo(table.query.body.SetOperation.right, name)
    const bound = recursive
      ? bindRecursive(table.query, name, names, alias, ctx, visible, outer)
      : ctx.bindQuery(table.query, visible, outer)
    visible.set(name, reference(alias, renamed(bound.fields, names)))
    return `${alias}(${bound.fields.map((_, i) => `c${i}`).join(', ')}) AS (${bound.sql})`
  })
  return { definitions: `WITH ${node.recursive ? 'RECURSIVE ' : ''}${definitions.join(', ')}`, visible }
}

function refersTo(node: Ast, table: string): boolean {
  const text = JSON.stringify(node)
  return text.toLowerCase().includes(`"value":"${table.toLowerCase()}"`)
}

function reference(alias: string, fields: readonly BoundField[]): BoundQuery {
  return { sql: `SELECT ${fields.map((_, i) => `c${i}`).join(', ')} FROM ${alias}`, fields }
}

function renamed(fields: readonly BoundField[], names: readonly string[]): BoundField[] {
  if (names.length > 0 && names.length !== fields.length) {
    throw planError(
      `Source table contains ${fields.length} columns but ${names.length} names given as column alias`,
    )
  }
  return fields.map((field, i) => ({ ...field, qualifier: undefined, name: names[i] ?? field.name }))
}

function bindRecursive(
  query: Ast,
  name: string,
  names: readonly string[],
  alias: string,
  ctx: PlanContext,
  ctes: Ctes,
  outer: Scope | undefined,
): BoundQuery {
  const { left, right, set_quantifier: quantifier } = query.body.SetOperation
  const none: Tail = { order: [], orderAll: undefined, limit: '' }
  const anchor = bindBody(left, none, ctx, ctes, outer)
  const fields = renamed(anchor.fields, names).map((field) => ({ ...field, nullable: true }))
  const inner = new Map(ctes).set(name, reference(alias, fields))
  const step = bindBody(right, none, ctx, inner, outer)
  checkWidths(anchor, step)
  const types = anchor.fields.map(({ type }) => type)
  const word = quantifier === 'All' ? 'UNION ALL' : 'UNION'
  return {
    sql: `(${converted(anchor, types, ctx)}) ${word} (${converted(step, types, ctx)})`,
    fields,
  }
}

function bindBody(body: Ast, tail: Tail, ctx: PlanContext, ctes: Ctes, outer: Scope | undefined): BoundQuery {
  const kind = kindOf(body)
  switch (kind) {
    case 'Select':
      return bindSelect(body.Select, tail, ctx, ctes, outer)
    case 'Query':
      return finish(ctx.bindQuery(body.Query, ctes, outer), tail, ctx, ctes, outer)
    case 'SetOperation':
      return finish(bindSetOperation(body.SetOperation, ctx, ctes, outer), tail, ctx, ctes, outer)
    case 'Values':
      return finish(bindValues(body.Values, ctx, ctes, outer), tail, ctx, ctes, outer)
    default:
      throw unsupported(`Query ${kind} not implemented yet`)
  }
}

/** ORDER BY and LIMIT over what is no plain SELECT. */
function finish(
  bound: BoundQuery,
  tail: Tail,
  ctx: PlanContext,
  ctes: Ctes,
  outer: Scope | undefined,
): BoundQuery {
  const { order, orderAll, limit } = tail
  if (order.length === 0 && orderAll === undefined && limit === '') return bound
  const alias = ctx.nextAlias()
  const columns: Column[] = bound.fields.map((field, i) => ({
    ...field,
    qualifier: field.qualifier,
    sql: `${alias}.c${i}`,
  }))
  const env: Env = { ctx, ctes, scope: new Scope(columns, outer) }
  const keys =
    orderAll === undefined
      ? order.map((node) => sortKey(node, orderKey(node.expr, columns, env)))
      : columns.map((column) => sortKey({ options: orderAll }, { ...column }))
  const sorted = keys.length > 0 ? ` ORDER BY ${sortSql(keys)}` : ''
  const list = columns.map((column, i) => `${column.sql} AS c${i}`).join(', ')
  return { sql: `SELECT ${list} FROM (${bound.sql}) AS ${alias}${sorted}${limit}`, fields: bound.fields }
}

function orderKey(node: Ast, columns: readonly Column[], env: Env): Expr {
  const ordinal = node.Value?.value?.Number?.[0] as string | undefined
  if (ordinal === undefined) return env.ctx.bindExpr(node, env)
  const column = columns[Number(ordinal) - 1]
  if (column === undefined) {
    throw planError(`Order by column out of bounds, specified: ${ordinal}, max: ${columns.length}`)
  }
  return { ...column, column: undefined }
}

const SET_OPERATIONS: Readonly<Record<string, string>> = {
  Union: 'UNION',
  Except: 'EXCEPT',
  Minus: 'EXCEPT',
  Intersect: 'INTERSECT',
}

function bindSetOperation(node: Ast, ctx: PlanContext, ctes: Ctes, outer: Scope | undefined): BoundQuery {
  const { op, set_quantifier: quantifier } = node
  const none: Tail = { order: [], orderAll: undefined, limit: '' }
  const parts: { bound: BoundQuery; word: string }[] = []
  // A chain of unions is a deep tree to the left.
  let left: Ast = node
  const chain: Ast[] = []
  for (;;) {
    chain.push(left)
    if (kindOf(left.left) !== 'SetOperation') break
    const next = left.left.SetOperation
    if (next.op !== op || next.set_quantifier !== quantifier || op !== 'Union') break
    left = next
  }
  parts.push({ bound: bindBody(chain.at(-1).left, none, ctx, ctes, outer), word: '' })
  const base = SET_OPERATIONS[String(op)]
  if (base === undefined) throw unsupported(`${String(op)} of queries`)
  const byName = String(quantifier).endsWith('ByName')
  const word = `${base}${String(quantifier).startsWith('All') ? ' ALL' : ''}`
  for (const link of chain.reverse()) {
    parts.push({ bound: bindBody(link.right, none, ctx, ctes, outer), word })
  }
  const [first, ...others] = parts
  const aligned = byName ? parts.map(({ bound }) => bound) : undefined
  if (aligned !== undefined) return unionByName(aligned, word, ctx)
  for (const { bound } of others) checkWidths(first!.bound, bound)
  const fields = first!.bound.fields.map((field, i) => {
    const all = parts.map(({ bound }) => bound.fields[i]!)
    const type = commonOf(
      all.map((f) => f.type),
      unionType,
    )
    if (type === undefined) {
      throw planError(
        `UNION Column '${field.name}' (type: ${field.type.kind}) is not compatible with column of the other side`,
      )
    }
    return { ...field, qualifier: undefined, type, nullable: all.some((f) => f.nullable) }
  })
  const types = fields.map(({ type }) => type)
  if (base !== 'UNION') return likeLeft(first!.bound, parts, types, ctx)
  const sql = parts.map(({ bound, word }) => `${word} (${converted(bound, types, ctx)})`).join(' ')
  return { sql: sql.trimStart(), fields }
}

/** EXCEPT and INTERSECT compare in a common type, and answer with the type of the left side. */
function likeLeft(
  left: BoundQuery,
  parts: readonly { readonly bound: BoundQuery; readonly word: string }[],
  types: readonly ArrowType[],
  ctx: PlanContext,
): BoundQuery {
  const compared = parts.map(({ bound, word }) => `${word} (${converted(bound, types, ctx)})`).join(' ')
  const fields = left.fields.map((field) => ({ ...field, qualifier: undefined }))
  const wide: BoundQuery = {
    sql: compared.trimStart(),
    fields: fields.map((field, i) => ({ ...field, type: types[i]! })),
  }
  return {
    sql: converted(
      wide,
      fields.map(({ type }) => type),
      ctx,
    ),
    fields,
  }
}

function unionByName(parts: readonly BoundQuery[], word: string, ctx: PlanContext): BoundQuery {
  const names = [...new Set(parts.flatMap(({ fields }) => fields.map(({ name }) => name)))]
  const fields = names.map((name): BoundField => {
    const found = parts.flatMap((part) => part.fields.filter((field) => field.name === name))
    const type = commonOf(
      found.map((field) => field.type),
      unionType,
    )
    if (type === undefined) throw planError(`UNION BY NAME: the columns '${name}' have no common type`)
    return { name, type, nullable: found.length < parts.length || found.some((field) => field.nullable) }
  })
  const sides = parts.map((part) => {
    const alias = ctx.nextAlias()
    const list = fields.map(({ name, type }, i) => {
      const at = part.fields.findIndex((field) => field.name === name)
      const expr: Expr =
        at < 0
          ? { sql: 'NULL', type: { kind: 'Null' }, nullable: true, name, constant: { value: null } }
          : { sql: `${alias}.c${at}`, type: part.fields[at]!.type, nullable: true, name }
      return `${cast(expr, type).sql} AS c${i}`
    })
    return `(SELECT ${list.join(', ')} FROM (${part.sql}) AS ${alias})`
  })
  return { sql: sides.join(` ${word} `), fields }
}

function checkWidths(left: BoundQuery, right: BoundQuery): void {
  if (left.fields.length === right.fields.length) return
  throw planError(
    `UNION queries have different number of columns: left has ${left.fields.length} columns whereas right has ${right.fields.length} columns`,
  )
}

/** The query with its columns in the given types. */
function converted(bound: BoundQuery, types: readonly ArrowType[], ctx: PlanContext): string {
  const alias = ctx.nextAlias()
  const list = bound.fields.map((field, i) => {
    const expr: Expr = { sql: `${alias}.c${i}`, type: field.type, nullable: true, name: field.name }
    return `${cast(expr, types[i]!).sql} AS c${i}`
  })
  return `SELECT ${list.join(', ')} FROM (${bound.sql}) AS ${alias}`
}

function bindValues(node: Ast, ctx: PlanContext, ctes: Ctes, outer: Scope | undefined): BoundQuery {
  const env: Env = { ctx, ctes, scope: new Scope([], outer) }
  const rows = (node.rows as Ast[]).map((row) =>
    ((row.content ?? row) as Ast[]).map((value) => ctx.bindExpr(value, env)),
  )
  const width = rows[0]?.length ?? 0
  for (const [i, row] of rows.entries()) {
    if (row.length !== width) {
      throw planError(
        `Inconsistent data length across values list: got ${row.length} values in row ${i} but expected ${width}`,
      )
    }
  }
  const fields = rows[0]!.map((_, i): BoundField => {
    const type = commonOf(
      rows.map((row) => row[i]!.type),
      unionType,
    )
    if (type === undefined) throw planError(`Inconsistent data type across values list at column ${i}`)
    return { name: `column${i + 1}`, type, nullable: rows.some((row) => row[i]!.nullable) }
  })
  const list = rows.map((row) => `(${row.map((value, i) => cast(value, fields[i]!.type).sql).join(', ')})`)
  const alias = ctx.nextAlias()
  const names = fields.map((_, i) => `c${i}`).join(', ')
  return { sql: `SELECT ${names} FROM (VALUES ${list.join(', ')}) AS ${alias}(${names})`, fields }
}

function bindLimit(query: Ast, env: Env): Pick<Tail, 'limit' | 'rows'> {
  const clause = query.limit_clause
  const offsetLimit = clause?.OffsetCommaLimit
  const limit = offsetLimit?.limit ?? clause?.LimitOffset?.limit ?? query.fetch?.quantity
  const offset = offsetLimit?.offset ?? clause?.LimitOffset?.offset?.value
  if (clause?.LimitOffset?.limit_by?.length > 0) throw unsupported('LIMIT BY')
  if (query.fetch?.with_ties || query.fetch?.percent) throw unsupported('FETCH WITH TIES or PERCENT')
  const [rows, before] = [rowCount('LIMIT', limit, env), rowCount('OFFSET', offset, env)]
  return {
    limit: rows.sql + before.sql,
    rows: { limit: rows.count, offset: before.sql === '' ? 0 : before.count },
  }
}

/** @returns Its SQL, and the number itself where it is known. */
function rowCount(
  word: string,
  node: Ast,
  env: Env,
): { readonly sql: string; readonly count?: number | undefined } {
  if (!node) return { sql: '' }
  const expr = cast(env.ctx.bindExpr(node, env), INT64)
  if (isConstant(expr)) {
    const { value } = expr.constant
    if (value === null) return { sql: '' }
    if (typeof value === 'bigint' && value < 0n) {
      throw planError(`${word} must be >= 0, '${value}' was provided.`)
    }
    return { sql: ` ${word} (${expr.sql})`, count: Number(value) }
  }
  return { sql: ` ${word} (${expr.sql})` }
}
