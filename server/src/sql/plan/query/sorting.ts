import type { Ast } from '../ast.ts'
import type { Env } from '../context.ts'
import type { SortKey } from '../expression/call.ts'
import type { Expr } from '../expression/expr.ts'

/** `expr [ASC|DESC] [NULLS FIRST|LAST]`: NULLs are the largest values unless the query says otherwise. */
export function sortKey(node: Ast, expr: Expr): SortKey {
  const { asc, nulls_first: nullsFirst } = node.options as {
    asc: boolean | null
    nulls_first: boolean | null
  }
  const descending = asc === false
  return { expr, descending, nullsFirst: nullsFirst ?? descending }
}

export function sortKeys(nodes: readonly Ast[], env: Env): SortKey[] {
  return nodes.map((node) => sortKey(node, env.ctx.bindExpr(node.expr, env)))
}

export function sortSql(keys: readonly SortKey[]): string {
  return keys
    .map(
      ({ expr, descending, nullsFirst }) =>
        `${expr.constant ? `(${expr.sql})` : expr.sql} ${descending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
    )
    .join(', ')
}

/** The keys as column names show them. */
export function sortName(keys: readonly SortKey[]): string {
  return keys
    .map(
      ({ expr, descending, nullsFirst }) =>
        `${expr.name} ${descending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
    )
    .join(', ')
}
