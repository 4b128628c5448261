/**
 * A point in time: a `Date`, nanoseconds since the epoch, an RFC 3339 text (`2026-11-25T22:04:47.626064123Z`, with an
 * offset or `Z`), or a time ago: a whole number with `s`, `m`, `h`, `d` or `w` (`'90s'`, `'1h'`, `'7d'`).
 */
export type Time = Date | bigint | string

const NANOSECONDS = {
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
}
const AGO = /^(\d{1,12})([smhdw])$/
const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/
/** What a server can hold: 64-bit nanoseconds since the epoch, from 1677-09-21 to 2262-04-11. */
const EARLIEST = -(2n ** 63n)
const LATEST = 2n ** 63n - 1n

/** This moment, in nanoseconds since the epoch, to the millisecond. */
export function nowNanoseconds(): bigint {
  return BigInt(Date.now()) * 1_000_000n
}

/**
 * Nanoseconds since the epoch.
 *
 * @param now - What times ago count from.
 * @throws `TypeError` for what is not a time, `RangeError` for one that is before 1677-09-21 or after 2262-04-11. Both name
 * `what`.
 */
export function toNanoseconds(time: Time, what = 'the time', now: bigint = nowNanoseconds()): bigint {
  const nanoseconds = parse(time, what, now)
  if (nanoseconds < EARLIEST || nanoseconds > LATEST) {
    throw new RangeError(`Cannot use ${what}: expected a time from 1677-09-21 to 2262-04-11`)
  }
  return nanoseconds
}

function parse(time: Time, what: string, now: bigint): bigint {
  if (typeof time === 'bigint') return time
  if (time instanceof Date) {
    const milliseconds = time.getTime()
    if (Number.isNaN(milliseconds)) throw new TypeError(`Cannot use ${what}: an invalid Date`)
    return BigInt(milliseconds) * 1_000_000n
  }
  if (typeof time === 'string') {
    const ago = AGO.exec(time)
    if (ago !== null) return now - BigInt(ago[1]!) * NANOSECONDS[ago[2] as keyof typeof NANOSECONDS]
    const nanoseconds = parseRfc3339(time)
    if (nanoseconds !== undefined) return nanoseconds
  }
  throw new TypeError(
    `Cannot use ${what}: expected a Date, nanoseconds as a bigint, an RFC 3339 time with an offset ` +
      `('2026-11-25T22:00:00Z') or a time ago ('90s', '15m', '1h', '7d', '2w')`,
  )
}

function parseRfc3339(text: string): bigint | undefined {
  const parts = RFC3339.exec(text)
  if (parts === null) return undefined
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const [offsetHour, offsetMinute] = [Number(parts[9] ?? 0), Number(parts[10] ?? 0)]
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day) // Date.UTC would take the years 0 to 99 for 1900 to 1999
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  // 60 is a leap second: the first second of the next minute.
  if (!exists || hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59)
    return undefined
  const offset = (offsetHour * 60 + offsetMinute) * (parts[8] === '-' ? -60 : 60)
  const seconds = date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset
  return BigInt(seconds) * NANOSECONDS.s + BigInt((parts[7] ?? '').padEnd(9, '0'))
}

/** RFC 3339 in UTC, with no digits after the second, or three, six or nine: as few as hold the time exactly. */
export function formatNanoseconds(nanoseconds: bigint): string {
  return `${formatWithoutZone(nanoseconds)}Z`
}

/** {@link formatNanoseconds} without the `Z`, for times of no zone. */
export function formatWithoutZone(nanoseconds: bigint): string {
  let fraction = nanoseconds % NANOSECONDS.s
  if (fraction < 0n) fraction += NANOSECONDS.s
  const seconds = (nanoseconds - fraction) / NANOSECONDS.s
  const digits = fraction.toString().padStart(9, '0')
  return new Date(Number(seconds) * 1000).toISOString().slice(0, -'.000Z'.length) + shortest(digits)
}

function shortest(digits: string): string {
  if (digits === '000000000') return ''
  if (digits.endsWith('000000')) return `.${digits.slice(0, 3)}`
  return digits.endsWith('000') ? `.${digits.slice(0, 6)}` : `.${digits}`
}

/** Which span of time a query looks at. Both ends belong to it. */
export interface TimeRange {
  readonly begin: Time
  /** @defaultValue now */
  readonly end?: Time | undefined
}

/** A range with both ends, in nanoseconds since the epoch. */
export interface ResolvedRange {
  readonly begin: bigint
  readonly end: bigint
}

/**
 * The range that options ask for; `undefined` when they ask for none.
 *
 * @throws `TypeError` for an end without a begin, which servers take for no range at all, or for both ways of saying it;
 * `RangeError` when it ends before it begins.
 */
export function resolveRange(options: {
  readonly begin?: Time | undefined
  readonly end?: Time | undefined
  readonly range?: TimeRange | undefined
}): ResolvedRange | undefined {
  if (options.range !== undefined && (options.begin !== undefined || options.end !== undefined)) {
    throw new TypeError('Cannot use the time range: give range, or begin and end, not both')
  }
  const { begin, end } = options.range ?? options
  if (begin === undefined) {
    if (end === undefined) return undefined
    throw new TypeError('Cannot use the time range: it has an end and no begin')
  }
  const now = nowNanoseconds()
  const range = {
    begin: toNanoseconds(begin, 'the begin of the time range', now),
    end: end === undefined ? now : toNanoseconds(end, 'the end of the time range', now),
  }
  if (range.begin > range.end) {
    throw new RangeError(
      `Cannot use the time range: it begins (${formatNanoseconds(range.begin)}) after its end (${formatNanoseconds(range.end)})`,
    )
  }
  return range
}
