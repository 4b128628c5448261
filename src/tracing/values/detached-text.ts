/**
 * A copy of a text that keeps no other text in memory. Engines make substrings as views: 40 characters cut out of a
 * request body hold the whole body for as long as they are remembered.
 */
export function detachedText(text: string): string {
  const copy = Buffer.from(text).toString()
  // UTF-8 has no lone surrogates, so a text with some comes back changed.
  return copy === text ? copy : Buffer.from(text, 'utf16le').toString('utf16le')
}
