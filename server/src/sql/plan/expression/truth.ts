import { planError } from '../../sql-error.ts'
import { BOOLEAN, typeName } from '../../types/arrow-type.ts'
import { cast } from './cast.ts'
import type { Expr } from './expr.ts'

/** The expression as a truth value. @throws {@link SqlError} for other types. */
export function truth(expr: Expr, what = 'a logical operation'): Expr {
  if (expr.type.kind === 'Boolean') return expr
  if (expr.type.kind === 'Null') return cast(expr, BOOLEAN)
  throw planError(`Cannot use a value of type ${typeName(expr.type)} as ${what}`, expr.place)
}
