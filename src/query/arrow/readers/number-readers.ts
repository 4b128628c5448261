import type { DataType } from '../schema.ts'
import type { ValueModes } from '../value-options.ts'
import type { BufferCursor } from './buffer-cursor.ts'
import { int64Converter, type Read } from './temporal-readers.ts'

/** The memory of a column of numbers as it is. */
export type NumericArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array

type Of<K extends DataType['kind']> = Extract<DataType, { readonly kind: K }>

const SIGNED = { 8: Int8Array, 16: Int16Array, 32: Int32Array, 64: BigInt64Array }
const UNSIGNED = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array }

export function integers(cursor: BufferCursor, type: Of<'int'>, length: number): NumericArray {
  return cursor.typed<NumericArray>((type.signed ? SIGNED : UNSIGNED)[type.bits], length)
}

export function integerReader(values: NumericArray, modes: ValueModes, column: string): Read {
  if (!(values instanceof BigInt64Array || values instanceof BigUint64Array)) return (index) => values[index]
  if (modes.int64 === 'bigint') return (index) => values[index]
  const convert = int64Converter(modes, column)
  return (index) => convert(values[index]!)
}

export function halfFloatReader(cursor: BufferCursor, length: number): Read {
  const values = cursor.typed(Uint16Array, length)
  return (index) => {
    const bits = values[index]!
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >> 10) & 0x1f
    const fraction = bits & 0x3ff
    if (exponent === 0) return sign * fraction * 2 ** -24
    if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
    return sign * (1024 + fraction) * 2 ** (exponent - 25)
  }
}

export function boolReader(cursor: BufferCursor, length: number): Read {
  const bits = cursor.typed(Uint8Array, (length + 7) >> 3)
  return (index) => (bits[index >> 3]! & (1 << (index & 7))) !== 0
}

/** Decimals as text, which is exact: `1.250` for a scale of three. */
export function decimalReader(cursor: BufferCursor, type: Of<'decimal'>, length: number): Read {
  if (type.bits === 32) {
    const values = cursor.typed(Int32Array, length)
    return (index) => decimalText(BigInt(values[index]!), type.scale)
  }
  const words = type.bits / 64
  const values = cursor.typed(BigUint64Array, words * length)
  return (index) => {
    let value = 0n
    for (let word = words - 1; word >= 0; word--) value = (value << 64n) | values[index * words + word]!
    return decimalText(BigInt.asIntN(type.bits, value), type.scale)
  }
}

function decimalText(value: bigint, scale: number): string {
  if (scale <= 0) return `${value}${value === 0n ? '' : '0'.repeat(-scale)}`
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
