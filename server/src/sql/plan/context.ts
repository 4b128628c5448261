import type { Place } from '../sql-error.ts'
import type { Field } from '../types/arrow-type.ts'
import type { Ast } from './ast.ts'
import type { Expr, Relation } from './expression/expr.ts'
import type { Scope } from './scope.ts'

/** A query in brackets or WITH, made into a relation. */
export interface BoundQuery {
  /** DuckDB SQL of a SELECT whose columns are called c0, c1 … */
  readonly sql: string
  readonly fields: readonly BoundField[]
  /** Where the rows are the first of a table, in its order of time. */
  readonly top?: Top | undefined
}

/** The first rows of one table by its column `time`, without a change of what a row is: no other row matters to them. */
export interface Top {
  readonly direction: 'newest' | 'oldest'
  /** Rows that are asked for. */
  readonly limit: number
  /** Rows before those. */
  readonly offset: number
}

export interface BoundField extends Field {
  readonly qualifier?: string | undefined
}

/** What a table or a table function of the server gives to a query. */
export interface TableSource {
  /** The columns, in order. */
  readonly fields: readonly Field[]
  /** The range of a query is a condition on the column `time`, and on nothing else. */
  readonly isByTime?: boolean | undefined
  /**
   * DuckDB SQL of a SELECT whose columns are called c0, c1 … by their index; asked for when the whole query is known.
   *
   * @param used - Indices of the columns that the query reads.
   */
  sql(used: ReadonlySet<number>, hints: ScanHints): string
}

/** What a query asks of a table besides its columns; a source may use it to read less. */
export interface ScanHints {
  /** Constants a column must be equal to, by the column's name. */
  readonly equals: ReadonlyMap<string, unknown>
}

/** Where the tables and table functions come from. */
export interface Catalog {
  /** A table by its name; `undefined` when there is none. */
  table(name: string, schema: string | undefined): TableSource | undefined
  /** A table function called with arguments; `undefined` when there is none of that name. */
  tableFunction(name: string, args: readonly Expr[], place: Place | undefined): TableSource | undefined
  /** What to ask instead of a table that there is not, as the end of a message; empty when nothing is near. */
  hint(name: string, schema: string | undefined): string
}

/** Common table expressions by name. */
export type Ctes = ReadonlyMap<string, BoundQuery>

/** What belongs to one query while it is being read. */
export interface PlanContext {
  readonly catalog: Catalog
  /** Nanoseconds since the Unix epoch: one `now()` for the whole query. */
  readonly nowNs: bigint
  /** A name that no other relation of the query has. */
  nextAlias(): string
  /** Puts a source's SQL in the place of its token once all columns it must read are known. */
  scan(source: TableSource, alias: string): Relation & { readonly hints: Map<string, unknown> }
  bindQuery(query: Ast, ctes: Ctes, outer: Scope | undefined): BoundQuery
  bindExpr(node: Ast, env: Env): Expr
}

/** Where an expression stands. */
export interface Env {
  readonly ctx: PlanContext
  readonly scope: Scope
  readonly ctes: Ctes
  /** Named windows of the SELECT. */
  readonly windows?: ReadonlyMap<string, Ast> | undefined
}
