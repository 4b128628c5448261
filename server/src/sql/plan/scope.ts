import { editDistance } from 'micromegas/wire'
import { type Place, schemaError } from '../sql-error.ts'
import { type Ident, nameOf, placeOf } from './ast.ts'
import type { Column, Expr } from './expression/expr.ts'

/** The columns that names can mean, and around them those of the queries that this one is inside of. */
export class Scope {
  readonly columns: readonly Column[]
  readonly parent: Scope | undefined

  constructor(columns: readonly Column[], parent?: Scope | undefined) {
    this.columns = columns
    this.parent = parent
  }

  /** Finds `name` or `table.name`; `undefined` when there is none here or around. */
  find(name: string, qualifier: string | undefined, place?: Place | undefined): Column | undefined {
    const found = this.columns.filter(
      (column) => column.name === name && (qualifier === undefined || column.qualifier === qualifier),
    )
    const visible = qualifier === undefined && found.length > 1 ? found.filter((c) => !c.hidden) : found
    if (visible.length > 1) {
      throw schemaError(`Ambiguous reference to unqualified field ${displayName(name)}`, place)
    }
    return visible[0] ?? this.parent?.find(name, qualifier, place)
  }

  /** @throws {@link SqlError} naming the columns there are. */
  resolve(idents: readonly Ident[]): Expr {
    const name = nameOf(idents.at(-1)!)
    const qualifier = idents.length > 1 ? nameOf(idents.at(-2)!) : undefined
    const place = placeOf(idents[0])
    const column = this.find(name, qualifier, place)
    if (column === undefined) throw this.unknown(name, qualifier, place)
    return refer(column, place)
  }

  unknown(name: string, qualifier: string | undefined, place?: Place | undefined): Error {
    const wanted =
      qualifier === undefined ? displayName(name) : `${displayName(qualifier)}.${displayName(name)}`
    const valid = this.columns.map(fullName)
    const hint = valid.length === 0 ? '' : `\nValid fields are ${valid.join(', ')}.`
    const meant = closestField(this.columns, name, qualifier)
    const cased = this.columns.find((c) => c.name !== name && c.name.toLowerCase() === name.toLowerCase())
    const quoting =
      cased === undefined
        ? ''
        : `\nColumn names are case sensitive. You can use double quotes to refer to the ${fullName(cased)} column or disable the datafusion.sql_parser.enable_ident_normalization configuration.`
    const ending = meant === undefined ? '.' : `. Did you mean '${fullName(meant)}'?`
    return schemaError(`No field named ${wanted}${ending}${quoting}${hint}`, place)
  }
}

function fullName({ qualifier, name }: Column): string {
  return qualifier === undefined ? displayName(name) : `${displayName(qualifier)}.${displayName(name)}`
}

/** The column that a mistyped name most likely means: no more than half of it is wrong. */
function closestField(
  columns: readonly Column[],
  name: string,
  qualifier: string | undefined,
): Column | undefined {
  const targets = [name, flatName(name, qualifier)].map((text) => text.toLowerCase())
  let closest: { readonly column: Column; readonly distance: number; readonly length: number } | undefined
  for (const column of columns) {
    for (const valid of [column.name, flatName(column.name, column.qualifier)]) {
      for (const target of targets) {
        const distance = editDistance(target, valid.toLowerCase())
        const length = Math.max([...target].length, [...valid].length)
        if (length === 0 || distance * 2 > length) continue
        const isCloser =
          closest === undefined ||
          distance < closest.distance ||
          (distance === closest.distance && length > closest.length)
        if (isCloser) closest = { column, distance, length }
      }
    }
  }
  return closest?.column
}

function flatName(name: string, qualifier: string | undefined): string {
  return qualifier === undefined ? name : `${qualifier}.${name}`
}

/** A reference to a column, which a scan then has to read. */
export function refer(column: Column, place?: Place | undefined): Expr {
  column.use?.()
  const { name, qualifier, type, nullable, sql } = column
  return {
    sql,
    type,
    nullable,
    name: qualifier === undefined ? name : `${qualifier}.${name}`,
    column: { name, qualifier },
    place,
  }
}

/** Names that are no plain lower-case words are shown in quotes. */
export function displayName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
