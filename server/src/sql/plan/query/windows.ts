import { planError } from '../../sql-error.ts'
import { isInteger, plain } from '../../types/arrow-type.ts'
import { type Ast, kindOf, nameOf } from '../ast.ts'
import type { Env } from '../context.ts'
import { cast } from '../expression/cast.ts'
import { type Expr, isConstant } from '../expression/expr.ts'
import { sortKeys, sortName, sortSql } from './sorting.ts'

/** What stands in the brackets of OVER, in DuckDB's SQL and as column names show it. */
export interface Window {
  readonly sql: string
  readonly name: string
}

export function bindWindow(over: Ast, env: Env): Window {
  if (kindOf(over) === 'NamedWindow') return bindSpec(named(over.NamedWindow, env), env)
  return bindSpec(over.WindowSpec, env)
}

function named(ident: Ast, env: Env): Ast {
  const spec = env.windows?.get(nameOf(ident))
  if (spec === undefined) throw planError(`The window ${nameOf(ident)} is not defined!`)
  return spec
}

function bindSpec(spec: Ast, env: Env): Window {
  const base = spec.window_name ? named(spec.window_name, env) : undefined
  const partitionNodes = (
    spec.partition_by?.length > 0 ? spec.partition_by : (base?.partition_by ?? [])
  ) as Ast[]
  const orderNodes = (spec.order_by?.length > 0 ? spec.order_by : (base?.order_by ?? [])) as Ast[]
  const partitions = partitionNodes.map((node) => env.ctx.bindExpr(node, env))
  const order = sortKeys(orderNodes, env)
  const frame = bindFrame(
    spec.window_frame ?? base?.window_frame,
    order.map((key) => key.expr),
    env,
  )
  const sql = [
    partitions.length > 0 ? `PARTITION BY ${partitions.map((expr) => expr.sql).join(', ')}` : '',
    order.length > 0 ? `ORDER BY ${sortSql(order)}` : '',
    frame?.sql ?? '',
  ]
  const shown = [
    partitions.length > 0 ? ` PARTITION BY [${partitions.map((expr) => expr.name).join(', ')}]` : '',
    order.length > 0 ? ` ORDER BY [${sortName(order)}]` : '',
    ` ${frame?.name ?? (order.length > 0 ? ORDERED_FRAME : WHOLE_FRAME)}`,
  ]
  return { sql: sql.filter(Boolean).join(' '), name: shown.join('') }
}

const ORDERED_FRAME = 'RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW'
const WHOLE_FRAME = 'ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING'

function bindFrame(frame: Ast, order: readonly Expr[], env: Env): Window | undefined {
  if (!frame) return undefined
  const units = String(frame.units).toUpperCase()
  const start = bound(frame.start_bound, units, order, env)
  const end = frame.end_bound
    ? bound(frame.end_bound, units, order, env)
    : { sql: 'CURRENT ROW', name: 'CURRENT ROW' }
  return {
    sql: `${units} BETWEEN ${start.sql} AND ${end.sql}`,
    name: `${units} BETWEEN ${start.name} AND ${end.name}`,
  }
}

function bound(node: Ast, units: string, order: readonly Expr[], env: Env): Window {
  if (node === 'CurrentRow') return { sql: 'CURRENT ROW', name: 'CURRENT ROW' }
  const kind = kindOf(node)
  const side = kind.toUpperCase()
  if (node[kind] == null) return { sql: `UNBOUNDED ${side}`, name: `UNBOUNDED ${side}` }
  const value = env.ctx.bindExpr(node[kind], env)
  if (!isConstant(value)) throw planError('Window frame bounds must be constants', value.place)
  const shown = `${String(value.constant.value)} ${side}`
  if (units !== 'RANGE') return { sql: `${cast(value, { kind: 'Int64' }).sql} ${side}`, name: shown }
  const key = order[0]
  if (key === undefined || order.length !== 1) {
    throw planError('With window frame of type RANGE, the ORDER BY expression must be of length 1')
  }
  // Times are integers of their unit here.
  const type = plain(key.type)
  const span = value.constant.value
  if (typeof span === 'object' && span !== null && 'months' in span) {
    if (span.months !== 0) throw planError('Window frames of months are not supported', value.place)
    const unit =
      type.kind === 'Timestamp' ? { ns: 1n, us: 1_000n, ms: 1_000_000n, s: 1_000_000_000n }[type.unit] : 1n
    const ns = BigInt(span.days) * 86_400_000_000_000n + span.nanoseconds
    return { sql: `${ns / unit}::BIGINT ${side}`, name: shown }
  }
  const target = isInteger(type) || type.kind.startsWith('Float') ? type : { kind: 'Int64' as const }
  return { sql: `${cast(value, target).sql} ${side}`, name: shown }
}
