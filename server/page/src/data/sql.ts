/** What a user typed becomes part of SQL through these alone: servers have no parameters. */

/** A text literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

export function all(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.join('\n  AND ')}`
}

/** `shop.*` is `shop` and what is below it; anything else is that target alone. */
export function targetIs(pattern: string): string {
  if (pattern === '*') return 'true'
  if (!pattern.endsWith('.*')) return `target = ${literal(pattern)}`
  const root = pattern.slice(0, -2)
  return `(target = ${literal(root)} OR starts_with(target, ${literal(`${root}.`)}))`
}

export function propertyIs(name: string, value: string): string {
  return `property_get(properties, ${literal(name)}) = ${literal(value)}`
}

export function textContains(column: string, text: string): string {
  return `strpos(lower(${column}), ${literal(text.toLowerCase())}) > 0`
}
