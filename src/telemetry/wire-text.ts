/** PostgreSQL columns of the process table are `VARCHAR(255)`. */
const MAX_COLUMN_CODE_POINTS = 255

/** Removes what the ingestion service's database or CBOR refuses in any text: U+0000 and lone surrogates. */
export function storableText(text: string): string {
  return toWellFormed(text).replaceAll('\0', '')
}

/** Also cuts the text to what a column of the process table holds: 255 code points. */
export function storableColumn(text: string): string {
  const storable = storableText(text)
  if (storable.length <= MAX_COLUMN_CODE_POINTS) return storable
  let end = 0
  for (let i = 0; i < MAX_COLUMN_CODE_POINTS && end < storable.length; i++) {
    end += storable.codePointAt(end)! > 0xffff ? 2 : 1
  }
  return storable.slice(0, end)
}

/** Applies {@link storableText} to keys and values; where keys become equal the last one counts. */
export function storableProperties(properties: Readonly<Record<string, string>>): Map<string, string> {
  const storable = new Map<string, string>()
  for (const [key, value] of Object.entries(properties)) storable.set(storableText(key), storableText(value))
  return storable
}

/** Every Node.js this package supports has it; the ES2023 types do not. */
function toWellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed()
}
