import type { IntervalValue } from './expr.ts'

const NANOS_PER_MS = 1_000_000n

/**
 * A point in time as DataFusion reads it: `2026-11-25`, with `T` or a space and a time, up to nine digits of a second,
 * and `Z` or an offset.
 *
 * @returns Nanoseconds since the Unix epoch; `undefined` for what is no time.
 */
export function parseTimestampText(text: string, tz?: string | undefined): bigint | undefined {
  const match =
    /^(-?\d{4,6})-(\d\d)-(\d\d)(?:[T t](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|z|UTC|[+-]\d\d:?(?:\d\d)?)?$/.exec(
      text.trim(),
    )
  if (match === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match
  const ms = Date.UTC(2000, Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  const date = new Date(ms)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const local = BigInt(date.getTime()) * NANOS_PER_MS + BigInt(fraction.padEnd(9, '0'))
  const offset = zoneOffsetMinutes(zone ?? tz)
  return local - BigInt(offset) * 60n * 1_000_000_000n
}

function zoneOffsetMinutes(zone: string | undefined): number {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone ?? '') ?? []
  if (hours === undefined) return 0
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}

/** Days since the Unix epoch. */
export function parseDate(text: string): bigint | undefined {
  const ns = /^-?\d{4,6}-\d\d-\d\d/.test(text.trim()) ? parseTimestampText(text) : undefined
  if (ns === undefined) return undefined
  const days = ns / 86_400_000_000_000n
  return ns < 0n && ns % 86_400_000_000_000n !== 0n ? days - 1n : days
}

/** Nanoseconds since midnight. */
export function parseTime(text: string): bigint | undefined {
  const [, hour, minute, second = '0', fraction = ''] =
    /^(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/.exec(text.trim()) ?? []
  if (hour === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const seconds = (BigInt(hour) * 60n + BigInt(minute ?? 0)) * 60n + BigInt(second)
  return seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
}

/** Months of a unit, and nanoseconds of the others; days apart. */
const UNITS: ReadonlyMap<string, readonly [months: number, days: number, nanoseconds: bigint]> = new Map([
  ['century', [1200, 0, 0n]],
  ['centuries', [1200, 0, 0n]],
  ['decade', [120, 0, 0n]],
  ['decades', [120, 0, 0n]],
  ['year', [12, 0, 0n]],
  ['month', [1, 0, 0n]],
  ['week', [0, 7, 0n]],
  ['day', [0, 1, 0n]],
  ['hour', [0, 0, 3_600_000_000_000n]],
  ['minute', [0, 0, 60_000_000_000n]],
  ['second', [0, 0, 1_000_000_000n]],
  ['millisecond', [0, 0, 1_000_000n]],
  ['microsecond', [0, 0, 1_000n]],
  ['nanosecond', [0, 0, 1n]],
])

const ABBREVIATIONS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    c: 'century',
    cent: 'century',
    dec: 'decade',
    decs: 'decade',
    y: 'year',
    yr: 'year',
    yrs: 'year',
    mon: 'month',
    mons: 'month',
    w: 'week',
    wk: 'week',
    d: 'day',
    h: 'hour',
    hr: 'hour',
    hrs: 'hour',
    m: 'minute',
    min: 'minute',
    mins: 'minute',
    s: 'second',
    sec: 'second',
    secs: 'second',
    ms: 'millisecond',
    msec: 'millisecond',
    msecs: 'millisecond',
    us: 'microsecond',
    usec: 'microsecond',
    usecs: 'microsecond',
    ns: 'nanosecond',
    nsec: 'nanosecond',
    nsecs: 'nanosecond',
    nanos: 'nanosecond',
    micros: 'microsecond',
    millis: 'millisecond',
  }),
)

function unitOf(word: string): readonly [number, number, bigint] | undefined {
  const lower = word.toLowerCase()
  const name = ABBREVIATIONS.get(lower) ?? lower
  return UNITS.get(name) ?? UNITS.get(name.replace(/s$/, ''))
}

/** An interval such as `1 day 2 hours`, `-1.5 seconds` or `01:02:03`; `unit` is that of a number without one. */
export function parseInterval(text: string, unit?: string): IntervalValue | undefined {
  const clock = /^([+-]?)(\d+):(\d\d)(?::(\d\d(?:\.\d{1,9})?))?$/
  let months = 0
  let days = 0
  let nanoseconds = 0n
  let found = false
  const rest = text
    .trim()
    .replace(/(\d)([A-Za-z])/g, '$1 $2')
    .split(/\s+/)
    .filter((word) => word !== '' && word.toLowerCase() !== 'and')
  for (let i = 0; i < rest.length; i++) {
    const time = clock.exec(rest[i]!)
    if (time !== null) {
      const [, sign, h = '0', m = '0', s = '0'] = time
      const value = (BigInt(h) * 3600n + BigInt(m) * 60n) * 1_000_000_000n + scale(s, 1_000_000_000n)!
      nanoseconds += sign === '-' ? -value : value
      found = true
      continue
    }
    const number = rest[i]!
    if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(number)) return undefined
    const next = rest[i + 1]
    const word = next !== undefined && unitOf(next) !== undefined ? next : unit
    if (word !== undefined && word === next) i++
    const parts = unitOf(word ?? 'second')
    if (parts === undefined) return undefined
    const [unitMonths, unitDays, unitNs] = parts
    const value = Number(number)
    if (unitNs !== 0n) nanoseconds += scale(number, unitNs)!
    const wholeMonths = Math.trunc(value * unitMonths)
    months += wholeMonths
    const dayPart = value * unitDays + (value * unitMonths - wholeMonths) * 30
    const wholeDays = Math.trunc(dayPart + Math.sign(dayPart) * 1e-9)
    days += wholeDays
    nanoseconds += BigInt(Math.round((dayPart - wholeDays) * 86_400e9))
    found = true
  }
  return found ? { months, days, nanoseconds } : undefined
}

/** A decimal text times an integer, exactly where the digits allow. */
function scale(text: string, factor: bigint): bigint | undefined {
  const [, sign, whole = '0', fraction = ''] = /^([+-]?)(\d*)\.?(\d*)$/.exec(text) ?? []
  if (sign === undefined) return undefined
  const power = 10n ** BigInt(fraction.length)
  const value = (BigInt(whole || '0') * power + BigInt(fraction || '0')) * factor
  const rounded = value / power
  return sign === '-' ? -rounded : rounded
}
