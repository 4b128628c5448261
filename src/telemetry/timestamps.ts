import { formatError } from '../transit/format-error.ts'

const STRICT_OFFSET = 'z|[+-]\\d\\d:\\d\\d'
const TIMESTAMP = '^(\\d{4})-(\\d\\d)-(\\d\\d)[t ](\\d\\d):(\\d\\d):(\\d\\d)(?:\\.(\\d+))?'

/** RFC 3339; letters in any case, a space for the T. */
const STRICT = new RegExp(`${TIMESTAMP}(${STRICT_OFFSET})$`, 'i')
/** Also spaces before the offset, an offset without colon, and UTC by name. */
const RELAXED = new RegExp(`${TIMESTAMP} *(${STRICT_OFFSET}|[+-]\\d{4}|utc)$`, 'i')

/**
 * Reads a timestamp as the ingestion service does.
 *
 * @param grammar - `strict` is RFC 3339, for the times of a block; `relaxed` also takes `+0000` and ` UTC`, for the
 * start time of a process.
 * @returns Microseconds since the Unix epoch; finer digits are cut off, as the database does.
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT`.
 */
export function parseTimestamp(text: string, what: string, grammar: 'strict' | 'relaxed'): bigint {
  const fields = (grammar === 'strict' ? STRICT : RELAXED).exec(text)
  if (fields === null) throw notATimestamp(text, what)
  const [year, month, day, hour, minute, second] = fields.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  // 60 is a leap second
  if (!isDay || hour > 23 || minute > 59 || second > 60) throw notATimestamp(text, what)
  const offsetMinutes = parseOffset(fields[8]!)
  if (offsetMinutes === undefined) throw notATimestamp(text, what)
  const minutes = hour * 60 + minute - offsetMinutes
  const fraction = (fields[7] ?? '').slice(0, 6).padEnd(6, '0')
  return BigInt(date.getTime()) * 1000n + BigInt(minutes * 60 + second) * 1_000_000n + BigInt(fraction)
}

/** Minutes east of Greenwich. */
function parseOffset(text: string): number | undefined {
  const digits = /^([+-])(\d\d):?(\d\d)$/.exec(text)
  if (digits === null) return 0
  const hours = Number(digits[2])
  const minutes = Number(digits[3])
  if (hours > 23 || minutes > 59) return undefined
  return (digits[1] === '-' ? -1 : 1) * (hours * 60 + minutes)
}

function notATimestamp(text: string, what: string): Error {
  return formatError(what, `${JSON.stringify(text.slice(0, 50))} is no timestamp with an offset`)
}

/** Writes microseconds since the Unix epoch as RFC 3339 in UTC with six digits. */
export function formatTimestamp(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = (micros - fraction) / 1_000_000n
  const text = new Date(Number(seconds) * 1000).toISOString()
  return `${text.slice(0, text.lastIndexOf('.'))}.${String(fraction).padStart(6, '0')}Z`
}
