import { QueryError } from '../../query-error.ts'
import { formatNanoseconds, formatWithoutZone } from '../../time.ts'
import type { DataType, TimeUnit } from '../schema.ts'
import type { ValueModes } from '../value-options.ts'
import type { BufferCursor } from './buffer-cursor.ts'

/** Reads the value at an index, whether it is null or not. */
export type Read = (index: number) => unknown

/** A span of calendar time: its parts are independent of each other, and each may be negative. */
export interface Interval {
  readonly months: number
  readonly days: number
  /** In the form that `int64` asks for. */
  readonly nanoseconds: bigint | number | string
}

type Of<K extends DataType['kind']> = Extract<DataType, { readonly kind: K }>

const NANOSECONDS: Readonly<Record<TimeUnit, bigint>> = {
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  ns: 1n,
}
const NANOSECONDS_A_DAY = 86_400_000_000_000n
/** What a `Date` holds, in milliseconds. */
const MAX_DATE = 8_640_000_000_000_000

/** How 64-bit integers come. */
export function int64Converter(
  modes: ValueModes,
  column: string,
): (value: bigint) => bigint | number | string {
  if (modes.int64 === 'bigint') return (value) => value
  if (modes.int64 === 'string') return (value) => value.toString()
  return (value) => {
    const number = Number(value)
    if (Number.isSafeInteger(number)) return number
    throw new QueryError(
      'OUT_OF_RANGE',
      `Cannot read column ${JSON.stringify(column)}: ${value} is beyond ±2^53 and no exact number; ask for int64: 'bigint' or 'string'`,
    )
  }
}

export function timestampReader(
  cursor: BufferCursor,
  type: Of<'timestamp'>,
  length: number,
  modes: ValueModes,
  column: string,
): Read {
  const values = cursor.typed(BigInt64Array, length)
  const factor = NANOSECONDS[type.unit]
  if (modes.timestamps === 'bigint') {
    return factor === 1n ? (index) => values[index] : (index) => values[index]! * factor
  }
  const checked = (index: number): bigint => {
    const nanoseconds = values[index]! * factor
    const milliseconds = nanoseconds / 1_000_000n
    if (milliseconds < BigInt(MAX_DATE) && milliseconds > -BigInt(MAX_DATE)) return nanoseconds
    throw unrepresentable(column)
  }
  if (modes.timestamps === 'date') return (index) => new Date(Number(floorMilliseconds(checked(index))))
  const format = type.timezone === undefined ? formatWithoutZone : formatNanoseconds
  return (index) => format(checked(index))
}

function floorMilliseconds(nanoseconds: bigint): bigint {
  const rest = nanoseconds % 1_000_000n
  return (nanoseconds - rest) / 1_000_000n - (rest < 0n ? 1n : 0n)
}

/** Days: text `YYYY-MM-DD`, since a `Date` is a moment, and in half of the world the moment of another day. */
export function dateReader(
  cursor: BufferCursor,
  type: Of<'date'>,
  length: number,
  modes: ValueModes,
  column: string,
): Read {
  const days = type.unit === 'day' ? cursor.typed(Int32Array, length) : undefined
  const milliseconds = type.unit === 'ms' ? cursor.typed(BigInt64Array, length) : undefined
  const date = (index: number): Date => {
    const value = new Date(days === undefined ? Number(milliseconds![index]) : days[index]! * 86_400_000)
    if (Number.isNaN(value.getTime())) throw unrepresentable(column)
    return value
  }
  if (modes.timestamps === 'date') return date
  return (index) => date(index).toISOString().split('T')[0]
}

export function timeOfDayReader(
  cursor: BufferCursor,
  type: Of<'time'>,
  length: number,
  modes: ValueModes,
  column: string,
): Read {
  const short = type.unit === 's' || type.unit === 'ms'
  const values = short ? cursor.typed(Int32Array, length) : cursor.typed(BigInt64Array, length)
  const factor = NANOSECONDS[type.unit]
  if (modes.timestamps === 'string') {
    return (index) => {
      const nanoseconds = BigInt(values[index]!) * factor
      if (nanoseconds < 0n || nanoseconds >= NANOSECONDS_A_DAY) throw unrepresentable(column)
      return formatWithoutZone(nanoseconds).slice('1970-01-01T'.length)
    }
  }
  const convert = int64Converter(modes, column)
  return (index) => convert(BigInt(values[index]!) * factor)
}

export function durationReader(
  cursor: BufferCursor,
  type: Of<'duration'>,
  length: number,
  modes: ValueModes,
  column: string,
): Read {
  const values = cursor.typed(BigInt64Array, length)
  const factor = NANOSECONDS[type.unit]
  const convert = int64Converter(modes, column)
  return (index) => convert(values[index]! * factor)
}

export function intervalReader(
  cursor: BufferCursor,
  type: Of<'interval'>,
  length: number,
  modes: ValueModes,
  column: string,
): (index: number) => Interval {
  const convert = int64Converter(modes, column)
  if (type.unit === 'month') {
    const months = cursor.typed(Int32Array, length)
    return (index) => ({ months: months[index]!, days: 0, nanoseconds: convert(0n) })
  }
  if (type.unit === 'day_time') {
    const parts = cursor.typed(Int32Array, 2 * length) // days, milliseconds
    return (index) => ({
      months: 0,
      days: parts[2 * index]!,
      nanoseconds: convert(BigInt(parts[2 * index + 1]!) * 1_000_000n),
    })
  }
  const bytes = cursor.typed(Uint8Array, 16 * length) // months, days, nanoseconds
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (index) => ({
    months: view.getInt32(16 * index, true),
    days: view.getInt32(16 * index + 4, true),
    nanoseconds: convert(view.getBigInt64(16 * index + 8, true)),
  })
}

function unrepresentable(column: string): QueryError {
  return new QueryError(
    'OUT_OF_RANGE',
    `Cannot read column ${JSON.stringify(column)}: a time is beyond what a Date or a day holds; ask for timestamps: 'bigint'`,
  )
}
