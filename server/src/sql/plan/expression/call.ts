import { type Place, planError } from '../../sql-error.ts'
import type { ArrowType } from '../../types/arrow-type.ts'
import type { Constant, Expr } from './expr.ts'

/** A call of a scalar function. */
export interface Call {
  /** The function's own name; what the query wrote may be another name of it. */
  readonly name: string
  readonly args: readonly Expr[]
  readonly place: Place | undefined
  /** Nanoseconds since the Unix epoch, the same for the whole query. */
  readonly nowNs: bigint
}

/** What a call comes to. */
export interface Answer {
  readonly sql: string
  readonly type: ArrowType
  /** @defaultValue `true` */
  readonly nullable?: boolean | undefined
  readonly constant?: { readonly value: Constant } | undefined
  /** Where it is not `name(arguments)`. */
  readonly shown?: string | undefined
  readonly unnests?: boolean | undefined
}

export interface ScalarFunction {
  /** The name that column names show. */
  readonly name: string
  readonly bind: (call: Call) => Answer
}

/** A call of an aggregate, or of a window function. */
export interface AggregateCall extends Call {
  readonly distinct: boolean
  /** From `ORDER BY` in the brackets, or of `WITHIN GROUP`. */
  readonly order: readonly SortKey[]
  readonly withinGroup: boolean
  readonly filter: Expr | undefined
  /** `count(*)`. */
  readonly star: boolean
  readonly windowed: boolean
  readonly ignoreNulls: boolean
}

export interface SortKey {
  readonly expr: Expr
  readonly descending: boolean
  readonly nullsFirst: boolean
}

export interface AggregateAnswer {
  /** @param parts - What the query put inside the brackets and after them, to be placed in DuckDB's call. */
  readonly sql: (parts: AggregateParts) => string
  readonly type: ArrowType
  readonly nullable?: boolean | undefined
}

export interface AggregateParts {
  /** `DISTINCT ` or nothing. */
  readonly distinct: string
  /** ` ORDER BY …` or nothing. */
  readonly order: string
  /** ` FILTER (…) OVER (…)`, as far as it is there. */
  readonly after: string
}

export interface AggregateFunction {
  readonly name: string
  readonly bind: (call: AggregateCall) => AggregateAnswer
}

/** @throws {@link SqlError} for another number of arguments. */
export function countArgs(call: Call, least: number, most = least): void {
  const { length } = call.args
  if (length >= least && length <= most) return
  let wanted = `from ${least} to ${most}`
  if (most === least) wanted = `${least}`
  else if (most === Number.POSITIVE_INFINITY) wanted = `${least} or more`
  throw planError(
    `Failed to coerce arguments to satisfy a call to '${call.name}' function: it takes ${wanted} arguments, got ${length}`,
    call.place,
  )
}

/** The error for an argument of a type that the function has no use for. */
export function wrongType(call: Call, expected: string, got: string): Error {
  return planError(`Function '${call.name}' requires ${expected}, but received ${got}`, call.place)
}

/** The value of an argument that must be known before a row is read. */
export function literalOf(call: Call, index: number): Constant | undefined {
  return call.args[index]?.constant?.value
}
