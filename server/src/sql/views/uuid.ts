/** A UUID in any of the spellings the reference reads, as it is stored: hyphenated, in lower case. */
export function parseUuidText(text: string): string | undefined {
  const hex = text
    .trim()
    .toLowerCase()
    .replace(/^urn:uuid:/, '')
    .replace(/^\{(.*)\}$/, '$1')
  const plain = /^[0-9a-f]{32}$/.test(hex) ? hex : undefined
  const parts = plain
    ?.match(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/)
    ?.slice(1)
    .join('-')
  return parts ?? (/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(hex) ? hex : undefined)
}
