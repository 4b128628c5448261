import { cast } from '../plan/expression/cast.ts'
import { type Expr, isConstant } from '../plan/expression/expr.ts'
import { type Place, planError } from '../sql-error.ts'
import { TIME_UTC } from '../types/arrow-type.ts'
import { parseUuidText } from './uuid.ts'

const ORDINALS = ['First', 'Second', 'Third', 'Fourth', 'Fifth']

/** An argument of a table function that must be a text in the query itself. */
export function textArgument(
  name: string,
  args: readonly Expr[],
  index: number,
  what: string,
  place: Place | undefined,
): string {
  const arg = args[index]
  const value = arg && isConstant(arg) ? arg.constant.value : undefined
  if (typeof value === 'string') return value
  throw planError(
    `${ORDINALS[index]} argument to ${name} must be a string (${what}), given ${given(arg)}`,
    place,
  )
}

export function uuidArgument(name: string, args: readonly Expr[], place: Place | undefined): string {
  const text = textArgument(name, args, 0, 'the process ID', place)
  const id = parseUuidText(text)
  if (id !== undefined) return id
  throw planError(`First argument to ${name} must be a valid UUID (the process ID), given '${text}'`, place)
}

/** Nanoseconds since the Unix epoch. */
export function timeArgument(
  name: string,
  args: readonly Expr[],
  index: number,
  what: string,
  place: Place | undefined,
): bigint {
  const arg = args[index]
  const converted = arg && isConstant(arg) && castable(arg) ? cast(arg, TIME_UTC) : undefined
  const value = converted?.constant?.value
  if (typeof value === 'bigint') return value
  throw planError(
    `${ORDINALS[index]} argument to ${name} must be a timestamp (${what}), given ${given(arg)}`,
    place,
  )
}

const castable = (arg: Expr): boolean => ['Timestamp', 'Utf8', 'Utf8View', 'Date32'].includes(arg.type.kind)

function given(arg: Expr | undefined): string {
  if (arg === undefined) return 'None'
  if (arg.constant !== undefined) return arg.name
  return `Some(Err(Plan("can't convert ${arg.sql.startsWith('(SELECT') ? 'ScalarSubquery(<subquery>)' : arg.name} to string")))`
}
