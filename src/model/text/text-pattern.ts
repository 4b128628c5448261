/**
 * How texts are meant in filters, everywhere in the product: as they are, or by their beginning with a `*` at the end
 * (`shop.*`; `*` is any text). What else a text alone stands for is for the filter to say.
 */
export interface TextPattern {
  /** The text, or what texts begin with. */
  readonly text: string
  readonly isPrefix: boolean
}

/** What is wrong with a text that is no pattern. */
export const TEXT_PATTERN_EXPECTED = "expected a text, or its beginning with a '*' at the end"

/** Reads a pattern; `undefined` where a `*` stands anywhere but at the end: it would match nothing. */
export function parseTextPattern(pattern: string): TextPattern | undefined {
  const star = pattern.indexOf('*')
  if (star < 0) return { text: pattern, isPrefix: false }
  return star === pattern.length - 1 ? { text: pattern.slice(0, -1), isPrefix: true } : undefined
}

/** Finds the texts that a pattern means; no pattern means all of them. */
export function textMatcher(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined) return () => true
  const { text: wanted, isPrefix } = parseTextPattern(pattern) ?? { text: pattern, isPrefix: false }
  return isPrefix ? (text) => text.startsWith(wanted) : (text) => text === wanted
}
