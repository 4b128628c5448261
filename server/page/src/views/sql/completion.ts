/** What may stand where the cursor is. */
export interface Completion {
  /** Where the word begins. */
  readonly start: number
  readonly words: readonly string[]
}

const MOST = 12

/** The words that go on from what is typed before the cursor, those that begin with it first. */
export function complete(text: string, cursor: number, words: readonly string[]): Completion | undefined {
  const [typed = ''] = /[\w.]*$/.exec(text.slice(0, cursor)) ?? []
  if (typed.length < 2 || inLiteral(text.slice(0, cursor))) return undefined
  const wanted = typed.toLowerCase()
  const matches = words.filter(
    (word) => word.toLowerCase().startsWith(wanted) && word.toLowerCase() !== wanted,
  )
  const within = words.filter(
    (word) => word.toLowerCase().includes(wanted) && !word.toLowerCase().startsWith(wanted),
  )
  const found = [...matches, ...within].slice(0, MOST)
  return found.length === 0 ? undefined : { start: cursor - typed.length, words: found }
}

function inLiteral(before: string): boolean {
  return (before.match(/'/g) ?? []).length % 2 === 1
}

/** `line 2, column 8`, as the server tells where an error is. */
export function placeOf(message: string): { readonly line: number; readonly column: number } | undefined {
  const [, line, column] = /line:?\s*(\d+),?\s*column:?\s*(\d+)/i.exec(message) ?? []
  return line === undefined || column === undefined
    ? undefined
    : { line: Number(line), column: Number(column) }
}

/** Where a line and column are in a text. */
export function offsetOf(
  text: string,
  { line, column }: { readonly line: number; readonly column: number },
): number {
  const lines = text.split('\n')
  const before = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0)
  return Math.min(before + column - 1, text.length)
}
