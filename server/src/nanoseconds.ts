import { parseTimestamp } from 'micromegas/wire'

const NS_PER_MS = 1_000_000n

/** RFC 3339 in UTC with nine digits, e.g. `2024-01-01T00:00:00.000001000Z`. */
export function formatNanoseconds(ns: bigint): string {
  const rest = ((ns % NS_PER_MS) + NS_PER_MS) % NS_PER_MS
  const text = new Date(Number((ns - rest) / NS_PER_MS)).toISOString()
  return `${text.slice(0, -1)}${String(rest).padStart(6, '0')}Z`
}

/**
 * Reads RFC 3339 with up to nine digits of a second, or a whole number of nanoseconds since the Unix epoch.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT`.
 */
export function parseNanoseconds(text: string, what: string): bigint {
  if (/^-?\d{1,19}$/.test(text)) return BigInt(text)
  const micros = parseTimestamp(text, what, 'strict')
  const fraction = /\.\d{6}(\d{1,3})/.exec(text)?.[1] ?? ''
  return micros * 1000n + BigInt(fraction.padEnd(3, '0'))
}
