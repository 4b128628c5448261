/**
 * Times come from the server as RFC 3339 with nine digits of a second, which sort as text; nanoseconds since the Unix epoch are
 * kept as `bigint` wherever a calculation must be exact.
 */
export type TimeText = string

const NS_PER_MS = 1_000_000n

/** @throws RangeError when the text is no RFC 3339 time in UTC. */
export function parseTime(text: TimeText): bigint {
  const [, whole, fraction = ''] = /^(.*?:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text) ?? []
  const ms = whole === undefined ? Number.NaN : Date.parse(`${whole}Z`)
  if (Number.isNaN(ms)) throw new RangeError(`no time: ${text}`)
  return BigInt(ms) * NS_PER_MS + BigInt(fraction.padEnd(9, '0'))
}

export function timeText(ns: bigint): TimeText {
  const ms = Number(ns / NS_PER_MS)
  const fraction = String(ns % 1_000_000_000n).padStart(9, '0')
  return `${new Date(ms).toISOString().slice(0, 19)}.${fraction}Z`
}

export function nsOfMs(ms: number): bigint {
  return BigInt(Math.round(ms)) * NS_PER_MS
}

export function msOfNs(ns: bigint): number {
  return Number(ns / NS_PER_MS) + Number(ns % NS_PER_MS) / 1e6
}

export type Zone = 'local' | 'UTC'

/** The time of day, to the millisecond or finer. */
export function clockText(ms: number, zone: Zone, digits = 3): string {
  const date = new Date(ms)
  const time =
    zone === 'UTC'
      ? date.toISOString().slice(11, 19)
      : [date.getHours(), date.getMinutes(), date.getSeconds()]
          .map((n) => String(n).padStart(2, '0'))
          .join(':')
  if (digits === 0) return time
  const fraction = Math.floor((ms - Math.floor(ms / 1000) * 1000) * 1e3)
    .toString()
    .padStart(6, '0')
  return `${time}.${fraction.slice(0, digits)}`
}

export function dateText(ms: number, zone: Zone): string {
  const date = new Date(ms)
  if (zone === 'UTC') return date.toISOString().slice(0, 10)
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((n) => String(n).padStart(2, '0'))
    .join('-')
}

const UNITS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
] as const

/** Nanoseconds with three digits: `1.23 ms`. */
export function durationText(ns: number): string {
  if (ns >= 90e9) {
    const seconds = Math.round(ns / 1e9)
    const [d, h, m, s] = [
      Math.floor(seconds / 86_400),
      Math.floor(seconds / 3600) % 24,
      Math.floor(seconds / 60) % 60,
      seconds % 60,
    ]
    if (d > 0) return `${d} d ${h} h`
    return h > 0 ? `${h} h ${m} min` : `${m} min ${s} s`
  }
  const [size, unit] = UNITS.find(([size]) => ns >= size) ?? [1, 'ns']
  const value = ns / size
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ${unit}`
}

export function agoText(ms: number): string {
  return ms < 1500
    ? 'now'
    : `${durationText(Math.floor(ms / 1000) * 1e9).replace(/\.0+ s$|\.\d+ s$/, ' s')} ago`
}
