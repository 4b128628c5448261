import type { TableSource } from '../plan/context.ts'
import type { Field } from '../types/arrow-type.ts'

/** How the columns of a view come from the tables of the database. */
export interface ViewShape {
  readonly fields: readonly Field[]
  /** What follows FROM: a table with its alias. */
  readonly from: string
  /** Joins by the alias they bring, each with the aliases it is over; in an order in which they can be written. */
  readonly joins: Readonly<Record<string, { readonly sql: string; readonly over?: readonly string[] }>>
  /** Each column's expression, by its name. */
  readonly columns: Readonly<Record<string, string>>
}

/**
 * A view as the SELECT that reads no more columns than a query uses, and joins no more tables than those columns need.
 *
 * @param conditions - What rows must fulfil; they may name any alias.
 */
export function scanSql(shape: ViewShape, used: ReadonlySet<number>, conditions: readonly string[]): string {
  const { fields, from, joins, columns } = shape
  const chosen = fields.flatMap(({ name }, i) => (used.has(i) ? [{ sql: columns[name]!, index: i }] : []))
  const needed = new Set<string>()
  const need = (alias: string): void => {
    if (needed.has(alias)) return
    for (const other of joins[alias]?.over ?? []) need(other)
    needed.add(alias)
  }
  for (const text of [...chosen.map(({ sql }) => sql), ...conditions]) {
    for (const alias of Object.keys(joins)) if (new RegExp(`\\b${alias}\\.`).test(text)) need(alias)
  }
  const list = chosen.map(({ sql, index }) => `${sql} AS c${index}`)
  const joined = Object.entries(joins).flatMap(([alias, { sql }]) => (needed.has(alias) ? [sql] : []))
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''
  return `SELECT ${list.length > 0 ? list.join(', ') : 'NULL AS c0'} FROM ${[from, ...joined].join(' ')}${where}`
}

/** A view without rows. */
export function emptySource(fields: readonly Field[], typeOf: (field: Field) => string): TableSource {
  return {
    fields,
    sql: () =>
      `SELECT ${fields.map((field, i) => `CAST(NULL AS ${typeOf(field)}) AS c${i}`).join(', ')} WHERE false`,
  }
}
