import type { Place } from '../sql-error.ts'

/**
 * A node of the tree that the parser gives: JSON, an object with one member that names the kind of node. It is walked
 * member by member, and each reader checks for the kinds it knows: what is unknown is an error of the query.
 */
// biome-ignore lint/suspicious/noExplicitAny: the parser's types do not say what it returns
export type Ast = any

/** A name as written. */
export interface Ident {
  readonly value: string
  readonly quote_style?: string | null
  readonly span?: { readonly start: Place }
}

/** Name of the single member of a node, such as `BinaryOp`; the text itself for a node without content. */
export function kindOf(node: Ast): string {
  if (typeof node === 'string') return node
  return Object.keys(node as object)[0] ?? ''
}

/** Unquoted names are compared and shown in lower case. */
export function nameOf(ident: Ident): string {
  return ident.quote_style ? ident.value : ident.value.toLowerCase()
}

export function placeOf(ident: Ident | undefined): Place | undefined {
  const start = ident?.span?.start
  return start === undefined || start.line === 0 ? undefined : start
}

/** The parts of a dotted name such as a table's. */
export function objectName(parts: Ast): Ident[] {
  return (parts as Ast[]).map((part) => part.Identifier as Ident)
}
