import { AGGREGATES, SCALARS, WINDOWS } from '../../functions/index.ts'
import { planError, unsupported } from '../../sql-error.ts'
import { type Ast, kindOf, nameOf, objectName, placeOf } from '../ast.ts'
import { closestName } from '../closest-name.ts'
import type { Env } from '../context.ts'
import { sortKeys, sortName, sortSql } from '../query/sorting.ts'
import { bindWindow, type Window } from '../query/windows.ts'
import type { AggregateCall, AggregateFunction, SortKey } from './call.ts'
import { type Expr, marksOf } from './expr.ts'
import { truth } from './truth.ts'

/**
 * Calls a scalar function by one of its names.
 *
 * @param isOwn - The query called it by syntax of its own, such as `TRIM(BOTH …)`: the column then has the function's own
 * name, else the name that the query wrote.
 */
export function callScalar(name: string, args: readonly Expr[], env: Env, isOwn = true): Expr {
  const found = SCALARS.get(name)
  if (found === undefined) throw planError(`Invalid function '${name}'`)
  const place = args.find((arg) => arg.place)?.place
  const answer = found.bind({ name: found.name, args, place, nowNs: env.ctx.nowNs })
  const marks = marksOf(args)
  return {
    sql: answer.sql,
    type: answer.type,
    nullable: answer.nullable ?? true,
    name: answer.shown ?? callName(found.name, isOwn ? found.name : name, args),
    display: `${isOwn ? found.name : name}(${args.map((arg) => arg.display ?? arg.name).join(', ')})`,
    constant: answer.constant,
    place,
    ...marks,
    unnests: answer.unnests ? [...(marks.unnests ?? []), answer.sql] : marks.unnests,
  }
}

/** Under another name than its own, a function shows casts in its arguments. */
function callName(own: string, called: string, args: readonly Expr[]): string {
  return `${called}(${args.map((arg) => (called === own ? arg.name : (arg.display ?? arg.name))).join(',')})`
}

/** `name(…)` with all that may stand in and after the brackets. */
export function bindCall(node: Ast, env: Env): Expr {
  const idents = objectName(node.name)
  const name = idents.map(nameOf).join('.')
  const place = placeOf(idents[0])
  const list = node.args?.List
  if (node.args?.Subquery) throw unsupported('A query as the arguments of a function', place)
  const args = bindArgs(list?.args ?? [], env)
  const aggregate = AGGREGATES.get(name)
  const window = WINDOWS.get(name)
  if (node.over) {
    const callee = aggregate ?? window
    if (callee === undefined) throw unknownFunction(name, node)
    return bindAggregate(window && (!aggregate || isWindowFirst(name)) ? window : callee, node, args, env)
  }
  if (aggregate !== undefined) return bindAggregate(aggregate, node, args, env)
  if (window !== undefined) {
    throw planError(`Window function '${name}' needs an OVER clause`, place)
  }
  if (!SCALARS.has(name)) throw unknownFunction(name, node)
  if (node.filter || node.within_group?.length > 0 || list?.duplicate_treatment) {
    throw planError(`Function '${name}' is not an aggregate`, place)
  }
  if (args.star) throw planError(`Function '${name}' does not accept *`, place)
  const call = callScalar(name, args.exprs, env, false)
  return place === undefined ? call : { ...call, place }
}

/** first_value, last_value and nth_value are both; with OVER they are window functions. */
function isWindowFirst(name: string): boolean {
  return WINDOWS.has(name)
}

function unknownFunction(name: string, node: Ast): Error {
  const candidates = [...AGGREGATES.keys(), ...(node.over ? WINDOWS.keys() : SCALARS.keys())]
  const closest = closestName(name, candidates)
  const hint = closest === undefined ? '' : `\nDid you mean '${closest}'?`
  return planError(`Invalid function '${name}'.${hint}`, placeOf(objectName(node.name)[0]))
}

function bindArgs(nodes: readonly Ast[], env: Env): { exprs: Expr[]; star: boolean } {
  const exprs: Expr[] = []
  let star = false
  for (const node of nodes) {
    const kind = kindOf(node)
    const arg = kind === 'Unnamed' ? node.Unnamed : node[kind].arg
    if (arg === 'Wildcard' || kindOf(arg) === 'QualifiedWildcard') star = true
    else exprs.push(env.ctx.bindExpr(arg.Expr, env))
  }
  return { exprs, star }
}

function bindAggregate(
  callee: AggregateFunction,
  node: Ast,
  args: { exprs: Expr[]; star: boolean },
  env: Env,
): Expr {
  const idents = objectName(node.name)
  const name = nameOf(idents.at(-1)!)
  const place = placeOf(idents[0])
  const list = node.args?.List
  const distinct = list?.duplicate_treatment === 'Distinct'
  const clauses = (list?.clauses ?? []) as Ast[]
  const orderNodes = clauses.find((clause) => clause.OrderBy)?.OrderBy ?? []
  const nullClause = clauses.find((clause) => clause.IgnoreOrRespectNulls)?.IgnoreOrRespectNulls
  const within = (node.within_group ?? []) as Ast[]
  const order = sortKeys(within.length > 0 ? within : orderNodes, env)
  const filter = node.filter ? truth(env.ctx.bindExpr(node.filter, env), 'a FILTER') : undefined
  const inner = [...args.exprs, ...order.map((key) => key.expr), filter]
  if (inner.some((expr) => expr?.windows)) {
    throw planError('Aggregate calls cannot contain window function calls', place)
  }
  if (!node.over && inner.some((expr) => expr?.aggregates)) {
    throw planError(`Aggregate function calls cannot be nested: ${callee.name}`, place)
  }
  const window = node.over ? bindWindow(node.over, env) : undefined
  const call: AggregateCall = {
    name: callee.name,
    args: args.exprs,
    place,
    nowNs: env.ctx.nowNs,
    distinct,
    order,
    withinGroup: within.length > 0,
    filter,
    star: args.star,
    windowed: window !== undefined,
    ignoreNulls: (node.null_treatment ?? nullClause) === 'IgnoreNulls',
  }
  const answer = callee.bind(call)
  const after = `${filter ? ` FILTER (WHERE ${filter.sql})` : ''}${window ? ` OVER (${window.sql})` : ''}`
  return {
    sql: answer.sql({
      distinct: distinct ? 'DISTINCT ' : '',
      order: order.length > 0 && within.length === 0 ? ` ORDER BY ${sortSql(order)}` : '',
      after,
    }),
    type: answer.type,
    nullable: answer.nullable ?? true,
    name: aggregateName(call, name, window),
    place,
    ...marksOf(inner),
    ...(window ? { windows: true } : { aggregates: true }),
  }
}

function aggregateName(call: AggregateCall, name: string, window: Window | undefined): string {
  const { distinct, args, star, order, withinGroup, filter } = call
  const shown = star ? '*' : args.map((arg) => arg.name).join(',')
  let text = `${name}(${distinct ? 'DISTINCT ' : ''}${shown})`
  if (call.ignoreNulls) text += ' IGNORE NULLS'
  if (filter !== undefined) text += ` FILTER (WHERE ${filter.name})`
  if (order.length > 0) text += orderName(order, withinGroup)
  return window === undefined ? text : `${text}${window.name}`
}

function orderName(order: readonly SortKey[], withinGroup: boolean): string {
  return ` ${withinGroup ? 'WITHIN GROUP' : 'ORDER BY'} [${sortName(order)}]`
}
