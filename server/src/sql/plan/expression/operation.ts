import type { ArrowType } from '../../types/arrow-type.ts'
import { type Expr, marksOf } from './expr.ts'

/** `left symbol right` as an expression. */
export function result(sql: string, type: ArrowType, symbol: string, left: Expr, right: Expr): Expr {
  return {
    sql,
    type,
    nullable: symbol.startsWith('IS') ? false : left.nullable || right.nullable,
    name: `${left.name} ${symbol} ${right.name}`,
    place: left.place ?? right.place,
    ...marksOf([left, right]),
  }
}
