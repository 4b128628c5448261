import { type Ast, kindOf } from '../ast.ts'
import type { Env } from '../context.ts'
import { isConstant } from '../expression/expr.ts'
import type { FromRelation } from './from.ts'

/**
 * Tells the scans which constants WHERE asks their columns to be equal to. A scan need not obey: WHERE is applied all the
 * same.
 */
export function hintsOf(condition: Ast, env: Env, from: FromRelation): void {
  const pending: Ast[] = [condition]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (kindOf(node) === 'Nested') pending.push(node.Nested)
    const binary = node.BinaryOp
    if (binary?.op === 'And') pending.push(binary.left, binary.right)
    if (binary?.op !== 'Eq') continue
    const left = env.ctx.bindExpr(binary.left, env)
    const right = env.ctx.bindExpr(binary.right, env)
    const [column, value] = left.column ? [left, right] : [right, left]
    if (column.column === undefined || !isConstant(value)) continue
    for (const scan of from.scans) {
      const name = scan.names.get(column.sql)
      if (name !== undefined) scan.hints.set(name, value.constant.value)
    }
  }
}
