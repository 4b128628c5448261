const DAY_NAMES = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTH_NAMES = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const MS_PER_DAY = 86_400_000

const pad = (value: number, width: number, fill = '0'): string => `${value}`.padStart(width, fill)

/** A point in time by a format of Rust's `chrono`; `undefined` for a format it does not know. */
export function formatChrono(ns: bigint, format: string): string | undefined {
  const ms = ns >= 0n || ns % 1_000_000n === 0n ? ns / 1_000_000n : ns / 1_000_000n - 1n
  const date = new Date(Number(ms))
  const nanos = Number(ns - ms * 1_000_000n) + date.getUTCMilliseconds() * 1_000_000
  let text = ''
  for (let i = 0; i < format.length; i++) {
    if (format[i] !== '%') {
      text += format[i]
      continue
    }
    const [, padding = '', dot = '', digits = '', letter = ''] =
      /^%([-_0]?)(\.?)([369]?)(:{0,2}.?)/s.exec(format.slice(i)) ?? []
    i += padding.length + dot.length + digits.length + letter.length
    if ((dot !== '' || digits !== '') && letter !== 'f') return undefined
    const part = letter === 'f' ? fraction(nanos, dot, digits) : letterText(letter, date, padding, ns)
    if (part === undefined) return undefined
    text += part
  }
  return text
}

function fraction(nanos: number, dot: string, digits: string): string {
  const nine = pad(nanos, 9)
  if (digits !== '') return dot + nine.slice(0, Number(digits))
  if (dot === '') return nine
  if (nanos === 0) return ''
  return `.${nanos % 1_000_000 === 0 ? nine.slice(0, 3) : nanos % 1000 === 0 ? nine.slice(0, 6) : nine}`
}

function letterText(letter: string, date: Date, padding: string, ns: bigint): string | undefined {
  const number = (value: number, width: number, usual = '0'): string =>
    padding === '-' ? `${value}` : pad(value, width, padding === '_' ? ' ' : padding === '0' ? '0' : usual)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  const [hour, minute, second] = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
  const half = hour % 12 === 0 ? 12 : hour % 12
  const again = (format: string): string | undefined => formatChrono(ns, format)
  switch (letter) {
    case 'Y':
      return number(year, 4)
    case 'C':
      return number(Math.floor(year / 100), 2)
    case 'y':
      return number(((year % 100) + 100) % 100, 2)
    case 'm':
      return number(month + 1, 2)
    case 'b':
    case 'h':
      return MONTH_NAMES[month]!.slice(0, 3)
    case 'B':
      return MONTH_NAMES[month]!
    case 'd':
      return number(day, 2)
    case 'e':
      return number(day, 2, ' ')
    case 'a':
      return DAY_NAMES[date.getUTCDay()]!.slice(0, 3)
    case 'A':
      return DAY_NAMES[date.getUTCDay()]!
    case 'w':
      return `${date.getUTCDay()}`
    case 'u':
      return `${date.getUTCDay() === 0 ? 7 : date.getUTCDay()}`
    case 'j':
      return number(dayOfYear(date), 3)
    case 'U':
      return number(Math.floor((dayOfYear(date) + 6 - date.getUTCDay()) / 7), 2)
    case 'W':
      return number(Math.floor((dayOfYear(date) + 6 - ((date.getUTCDay() + 6) % 7)) / 7), 2)
    case 'G':
      return number(isoWeek(date).year, 4)
    case 'g':
      return number(isoWeek(date).year % 100, 2)
    case 'V':
      return number(isoWeek(date).week, 2)
    case 'q':
      return `${Math.floor(month / 3) + 1}`
    case 'H':
      return number(hour, 2)
    case 'k':
      return number(hour, 2, ' ')
    case 'I':
      return number(half, 2)
    case 'l':
      return number(half, 2, ' ')
    case 'P':
      return hour < 12 ? 'am' : 'pm'
    case 'p':
      return hour < 12 ? 'AM' : 'PM'
    case 'M':
      return number(minute, 2)
    case 'S':
      return number(second, 2)
    case 'D':
    case 'x':
      return again('%m/%d/%y')
    case 'F':
      return again('%Y-%m-%d')
    case 'v':
      return again('%e-%b-%Y')
    case 'R':
      return again('%H:%M')
    case 'T':
    case 'X':
      return again('%H:%M:%S')
    case 'r':
      return again('%I:%M:%S %p')
    case 'c':
      return again('%a %b %e %H:%M:%S %Y')
    case '+':
      return again('%Y-%m-%dT%H:%M:%S%.f+00:00')
    case 'z':
      return '+0000'
    case ':z':
      return '+00:00'
    case '::z':
      return '+00:00:00'
    case 'Z':
      return '+00:00'
    case 's':
      return `${ns >= 0n || ns % 1_000_000_000n === 0n ? ns / 1_000_000_000n : ns / 1_000_000_000n - 1n}`
    case 't':
      return '\t'
    case 'n':
      return '\n'
    case '%':
      return '%'
    default:
      return undefined
  }
}

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / MS_PER_DAY) + 1
}

function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * MS_PER_DAY)
  return { year: thursday.getUTCFullYear(), week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 }
}

/** What each letter of a format stands for when a text is read. */
const PATTERNS: Readonly<Record<string, string>> = {
  Y: '(?<Y>[+-]?\\d{1,6})',
  y: '(?<y>\\d{2})',
  m: '(?<m>\\d{1,2})',
  d: '(?<d>\\d{1,2})',
  e: '\\s*(?<d>\\d{1,2})',
  b: '(?<b>[A-Za-z]{3,9})',
  B: '(?<b>[A-Za-z]{3,9})',
  h: '(?<b>[A-Za-z]{3,9})',
  H: '(?<H>\\d{1,2})',
  I: '(?<I>\\d{1,2})',
  M: '(?<M>\\d{1,2})',
  S: '(?<S>\\d{1,2})',
  p: '(?<p>[AaPp][Mm])',
  P: '(?<p>[AaPp][Mm])',
  j: '(?<j>\\d{1,3})',
  s: '(?<s>-?\\d+)',
  z: '(?<z>[+-]\\d{2}:?\\d{2}|Z)',
  a: '[A-Za-z]{3,9}',
  A: '[A-Za-z]{3,9}',
  Z: '[A-Za-z]+',
  '%': '%',
}
const LONG: Readonly<Record<string, string>> = {
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  R: '%H:%M',
  D: '%m/%d/%y',
  X: '%H:%M:%S',
  x: '%m/%d/%y',
  '+': '%Y-%m-%dT%H:%M:%S%.f%z',
}

/** Reads a text by a format of Rust's `chrono`. @returns Nanoseconds since the Unix epoch. */
export function parseChrono(text: string, format: string): bigint | undefined {
  const whole = format.replace(/%([FTRDXx+])/g, (_, letter: string) => LONG[letter]!)
  const source = whole.replace(
    /%(?:[-_0]?)(\.?[369]?f|:?.)|([.*+?^${}()|[\]\\])|(\s+)/gs,
    (_, letter?: string, special?: string, space?: string) => {
      if (special !== undefined) return `\\${special}`
      if (space !== undefined) return '\\s*'
      if (letter!.endsWith('f')) return `${letter!.startsWith('.') ? '(?:\\.' : '(?:'}(?<f>\\d{1,9}))?`
      return PATTERNS[letter!.replace(':', '')] ?? '(?!)'
    },
  )
  let match: RegExpExecArray | null
  try {
    match = new RegExp(`^${source}$`).exec(text.trim())
  } catch {
    return undefined // the same letter twice
  }
  const found = match?.groups
  if (found === undefined && match === null) return undefined
  const get = (name: string): number | undefined =>
    found?.[name] === undefined ? undefined : Number(found[name])
  const seconds = found?.s
  if (seconds !== undefined) return BigInt(seconds) * 1_000_000_000n
  const month = found?.b === undefined ? get('m') : monthOf(found.b)
  const short = get('y')
  const year = get('Y') ?? (short === undefined ? undefined : short + (short < 70 ? 2000 : 1900))
  if (year === undefined || Number.isNaN(month)) return undefined
  const hour12 = get('I')
  const pm = found?.p?.toLowerCase() === 'pm'
  const hour = get('H') ?? (hour12 === undefined ? 0 : (hour12 % 12) + (pm ? 12 : 0))
  const day = get('j') ?? get('d') ?? 1
  const date = new Date(0)
  date.setUTCFullYear(year, get('j') === undefined ? (month ?? 1) - 1 : 0, day)
  if (get('j') === undefined && date.getUTCDate() !== day) return undefined
  date.setUTCHours(hour, get('M') ?? 0, get('S') ?? 0)
  const nanos = BigInt((found?.f ?? '').padEnd(9, '0') || 0)
  return BigInt(date.getTime()) * 1_000_000n + nanos - offsetNs(found?.z)
}

function monthOf(name: string): number {
  const at = MONTH_NAMES.findIndex(
    (month) => month.slice(0, 3).toLowerCase() === name.slice(0, 3).toLowerCase(),
  )
  return at < 0 ? Number.NaN : at + 1
}

function offsetNs(zone: string | undefined): bigint {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? '') ?? []
  if (hours === undefined) return 0n
  const ns = (BigInt(hours) * 60n + BigInt(minutes!)) * 60_000_000_000n
  return sign === '-' ? -ns : ns
}
