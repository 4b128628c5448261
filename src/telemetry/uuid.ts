import { formatError } from '../transit/format-error.ts'

const HYPHENATED = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const SIMPLE = /^[0-9a-f]{32}$/i

/**
 * Reads a UUID in any of the spellings the reference takes: hyphenated, 32 digits, in braces, or as a URN.
 *
 * @returns The hyphenated spelling in lower case.
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when it is none of them.
 */
export function parseUuid(text: string, what: string): string {
  const hyphenated = unwrap(text)
  if (HYPHENATED.test(hyphenated)) return hyphenated.toLowerCase()
  if (SIMPLE.test(text)) {
    const digits = text.toLowerCase()
    return [8, 12, 16, 20, 32].map((end, i, ends) => digits.slice(ends[i - 1] ?? 0, end)).join('-')
  }
  throw formatError(what, `${JSON.stringify(text.slice(0, 50))} is no UUID`)
}

function unwrap(text: string): string {
  if (text.startsWith('{') && text.endsWith('}')) return text.slice(1, -1)
  return text.startsWith('urn:uuid:') ? text.slice('urn:uuid:'.length) : text
}
