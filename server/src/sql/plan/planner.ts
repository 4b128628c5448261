import { SqlError } from '../sql-error.ts'
import type { Ast } from './ast.ts'
import type { BoundQuery, Catalog, Ctes, Env, PlanContext, TableSource } from './context.ts'
import type { Column, Expr, Relation } from './expression/expr.ts'
import { bindExpr } from './expression/expressions.ts'
import { bindQuery } from './query/query.ts'
import type { Scope } from './scope.ts'

/** A query would be longer than this in the database's SQL: names used again and again inside each other. */
const MAX_SQL_LENGTH = 4_000_000

/** Stands for a scan until it is known what it must read; no text of a query gets into SQL with this character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point of it
const TOKEN = /\u0001(\d+)\u0001/g

interface Scan {
  readonly source: TableSource
  readonly used: Set<number>
  readonly hints: Map<string, unknown>
  readonly token: string
}

/** What belongs to one query while it is read. */
export class Planner implements PlanContext {
  readonly catalog: Catalog
  readonly nowNs: bigint
  readonly #scans: Scan[] = []
  #aliases = 0

  constructor(catalog: Catalog, nowNs: bigint) {
    this.catalog = catalog
    this.nowNs = nowNs
  }

  /** How often the query reads a table or a table function. */
  get scanCount(): number {
    return this.#scans.length
  }

  nextAlias(): string {
    return `t${++this.#aliases}`
  }

  scan(source: TableSource, alias: string): Relation & { readonly hints: Map<string, unknown> } {
    const name = this.nextAlias()
    const used = new Set<number>()
    const hints = new Map<string, unknown>()
    const token = `\u0001${this.#scans.length}\u0001`
    this.#scans.push({ source, used, hints, token })
    const columns = source.fields.map(
      (field, i): Column => ({ ...field, qualifier: alias, sql: `${name}.c${i}`, use: () => used.add(i) }),
    )
    return { sql: `(${token}) AS ${name}`, columns, hints }
  }

  bindQuery(query: Ast, ctes: Ctes, outer: Scope | undefined): BoundQuery {
    return bindQuery(query, this, ctes, outer)
  }

  bindExpr(node: Ast, env: Env): Expr {
    return bindExpr(node, env)
  }

  /**
   * Puts the scans into a query that has been bound with this planner: by then it is known which columns they must read.
   *
   * @throws {@link SqlError} `RESOURCE_EXHAUSTED` for a query that grows too long.
   */
  finish(sql: string): string {
    let whole = sql
    // A source may hold others: the argument of a table function may be a query.
    while (whole.includes('\u0001')) {
      whole = whole.replaceAll(TOKEN, (_, index: string) => {
        const { source, used, hints } = this.#scans[Number(index)]!
        return source.sql(used, { equals: hints })
      })
      if (whole.length > MAX_SQL_LENGTH) break
    }
    if (whole.length > MAX_SQL_LENGTH) {
      throw new SqlError('RESOURCE_EXHAUSTED', 'Resources exhausted: the query is too complex')
    }
    return whole
  }
}
