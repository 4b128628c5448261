import type { Place } from '../../sql-error.ts'
import { type ArrowType, type Field, sameType } from '../../types/arrow-type.ts'

/** A value known when the query is read; points in time are integers of their unit. */
export type Constant = bigint | number | string | boolean | null | IntervalValue | Uint8Array

export interface IntervalValue {
  readonly months: number
  readonly days: number
  readonly nanoseconds: bigint
}

/** An expression that has been given a type and is written in DuckDB's SQL. */
export interface Expr {
  /** DuckDB SQL; brackets included where needed. */
  readonly sql: string
  readonly type: ArrowType
  readonly nullable: boolean
  /** How the reference names a column that has no alias. */
  readonly name: string
  /** The name with casts shown; as `name` where it is missing. */
  readonly display?: string | undefined
  /** Set for a reference to a column: what `SELECT column` calls it, and where it came from. */
  readonly column?: { readonly name: string; readonly qualifier: string | undefined } | undefined
  /** Set for literals and what follows from them without reading a row. */
  readonly constant?: { readonly value: Constant } | undefined
  readonly place?: Place | undefined
  /** The expression holds a call of an aggregate or window function. */
  readonly aggregates?: boolean | undefined
  readonly windows?: boolean | undefined
  /** Calls of `unnest` in the expression, in DuckDB's SQL: one row becomes several. */
  readonly unnests?: readonly string[] | undefined
}

/** A column of a relation. */
export interface Column extends Field {
  /** Table or alias it is reached by. */
  readonly qualifier: string | undefined
  /** DuckDB's name for it, such as `t3.c1`. */
  readonly sql: string
  /** Called when a query reads the column: scans read no others. */
  readonly use?: (() => void) | undefined
  /** Left out of `*`: the right side of a USING join. */
  readonly hidden?: boolean | undefined
}

/** Something that stands in FROM. */
export interface Relation {
  /** DuckDB SQL with an alias. */
  readonly sql: string
  readonly columns: readonly Column[]
}

export function isConstant(expr: Expr): expr is Expr & { constant: { value: Constant } } {
  return expr.constant !== undefined
}

/** Marks carried over from the parts of an expression. */
export function marksOf(
  parts: readonly (Expr | undefined)[],
): Pick<Expr, 'aggregates' | 'windows' | 'unnests'> {
  return {
    aggregates: parts.some((part) => part?.aggregates),
    windows: parts.some((part) => part?.windows),
    unnests: unnestsOf(parts),
  }
}

function unnestsOf(parts: readonly (Expr | undefined)[]): readonly string[] | undefined {
  const all = parts.flatMap((part) => part?.unnests ?? [])
  return all.length > 0 ? all : undefined
}

/** A text as DuckDB reads it. NUL ends a query, and U+0001 marks the scans of a query: both are written by number. */
export function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these two are what it is about
  const parts = text.split(/([\0\u0001])/)
  const plain = (part: string): string => `'${part.replaceAll("'", "''")}'`
  if (parts.length === 1) return plain(text)
  // One call, whose parts lie side by side: operators would nest, one in the other.
  return `concat(${parts.map((part, i) => (i % 2 === 1 ? `chr(${part.charCodeAt(0)})` : plain(part))).join(', ')})`
}

export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function withType(expr: Expr, type: ArrowType): Expr {
  return sameType(expr.type, type) ? expr : { ...expr, type }
}
