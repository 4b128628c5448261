import { parseTimestamp } from 'micromegas/wire'

const NS_PER_MS = 1_000_000n

/** ECMA-262, section 21.4.1.1: what a `Date` can hold, 270,000 years to both sides. */
const MAX_DATE_NS = 8_640_000_000_000_000n * NS_PER_MS

/** A span of time, both ends included, in nanoseconds since the Unix epoch. */
export interface TimeRange {
  readonly beginNs: bigint
  readonly endNs: bigint
}

/** As `sort` wants it, the earlier first. */
export function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * RFC 3339 in UTC with nine digits, e.g. `2024-01-01T00:00:00.000001000Z`. A time that no date can hold becomes the last
 * or first one that can: a producer may send any 64-bit integer, and one such event must not cost a whole list.
 */
export function formatNanoseconds(time: bigint): string {
  const ns = time > MAX_DATE_NS ? MAX_DATE_NS : time < -MAX_DATE_NS ? -MAX_DATE_NS : time
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
