/** What a variable says that is `true` or `false`, in any of their spellings; `undefined` for what is neither. */
export function parseFlag(text: string): boolean | undefined {
  const word = text.trim().toLowerCase()
  if (word === 'true' || word === '1') return true
  if (word === 'false' || word === '0') return false
  return undefined
}
