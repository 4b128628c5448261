/** Units of timestamps, times and durations, as Arrow names them. */
export type TimeUnit = 's' | 'ms' | 'us' | 'ns'

/** A column of a schema or a member of a nested type. */
export interface Field {
  readonly name: string
  readonly type: ArrowType
  readonly nullable: boolean
}

/**
 * The Arrow types that expressions have on the reference servers, by the names that `arrow_typeof` prints.
 *
 * `jsonb` marks binary values that hold JSONB. DuckDB keeps those as JSON text; they become bytes at the edge.
 */
export type ArrowType =
  | { readonly kind: 'Null' | 'Boolean' | 'Utf8' | 'LargeUtf8' | 'Utf8View' | 'Date32' | 'Date64' }
  | { readonly kind: IntegerKind | FloatKind }
  | { readonly kind: 'Binary' | 'LargeBinary' | 'BinaryView'; readonly jsonb?: boolean }
  | { readonly kind: 'FixedSizeBinary'; readonly size: number }
  | { readonly kind: 'Decimal128'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'Time32' | 'Time64' | 'Duration'; readonly unit: TimeUnit }
  | { readonly kind: 'Timestamp'; readonly unit: TimeUnit; readonly tz: string | undefined }
  | { readonly kind: 'Interval' }
  | { readonly kind: 'Dictionary'; readonly index: ArrowType; readonly value: ArrowType }
  | { readonly kind: 'List'; readonly item: Field }
  | { readonly kind: 'Struct'; readonly fields: readonly Field[] }
  | { readonly kind: 'Map'; readonly key: ArrowType; readonly value: ArrowType }

export type IntegerKind = 'Int8' | 'Int16' | 'Int32' | 'Int64' | 'UInt8' | 'UInt16' | 'UInt32' | 'UInt64'
export type FloatKind = 'Float16' | 'Float32' | 'Float64'

export const NULL: ArrowType = { kind: 'Null' }
export const BOOLEAN: ArrowType = { kind: 'Boolean' }
export const INT8: ArrowType = { kind: 'Int8' }
export const INT16: ArrowType = { kind: 'Int16' }
export const INT32: ArrowType = { kind: 'Int32' }
export const INT64: ArrowType = { kind: 'Int64' }
export const UINT8: ArrowType = { kind: 'UInt8' }
export const UINT16: ArrowType = { kind: 'UInt16' }
export const UINT32: ArrowType = { kind: 'UInt32' }
export const UINT64: ArrowType = { kind: 'UInt64' }
export const FLOAT32: ArrowType = { kind: 'Float32' }
export const FLOAT64: ArrowType = { kind: 'Float64' }
export const UTF8: ArrowType = { kind: 'Utf8' }
export const UTF8_VIEW: ArrowType = { kind: 'Utf8View' }
export const LARGE_UTF8: ArrowType = { kind: 'LargeUtf8' }
export const BINARY: ArrowType = { kind: 'Binary' }
export const JSONB: ArrowType = { kind: 'Binary', jsonb: true }
export const DATE32: ArrowType = { kind: 'Date32' }
export const INTERVAL: ArrowType = { kind: 'Interval' }
export const DURATION_NS: ArrowType = { kind: 'Duration', unit: 'ns' }
/** The type of every time in the views. */
export const TIME_UTC: ArrowType = { kind: 'Timestamp', unit: 'ns', tz: '+00:00' }
export const TIMESTAMP_NS: ArrowType = { kind: 'Timestamp', unit: 'ns', tz: undefined }
export const DICTIONARY_UTF8: ArrowType = { kind: 'Dictionary', index: INT32, value: UTF8 }
export const DICTIONARY_JSONB: ArrowType = { kind: 'Dictionary', index: INT32, value: JSONB }

export function timestamp(unit: TimeUnit, tz?: string | undefined): ArrowType {
  return { kind: 'Timestamp', unit, tz }
}

export function decimal(precision: number, scale: number): ArrowType {
  return { kind: 'Decimal128', precision: Math.min(precision, 38), scale: Math.min(scale, 38) }
}

export function listOf(type: ArrowType, nullable = true, name = 'item'): ArrowType {
  return { kind: 'List', item: { name, type, nullable } }
}

export function structOf(fields: readonly Field[]): ArrowType {
  return { kind: 'Struct', fields }
}

/** The value type of a dictionary, and any other type itself. */
export function plain(type: ArrowType): ArrowType {
  return type.kind === 'Dictionary' ? type.value : type
}

const SIGNED = new Set(['Int8', 'Int16', 'Int32', 'Int64'])
const UNSIGNED = new Set(['UInt8', 'UInt16', 'UInt32', 'UInt64'])
const FLOATS = new Set(['Float16', 'Float32', 'Float64'])
const STRINGS = new Set(['Utf8', 'LargeUtf8', 'Utf8View'])
const BINARIES = new Set(['Binary', 'LargeBinary', 'BinaryView'])

export const isSigned = (type: ArrowType): boolean => SIGNED.has(type.kind)
export const isUnsigned = (type: ArrowType): boolean => UNSIGNED.has(type.kind)
export const isInteger = (type: ArrowType): boolean => isSigned(type) || isUnsigned(type)
export const isFloat = (type: ArrowType): boolean => FLOATS.has(type.kind)
export const isNumeric = (type: ArrowType): boolean =>
  isInteger(type) || isFloat(type) || type.kind === 'Decimal128'
export const isString = (type: ArrowType): boolean => STRINGS.has(type.kind)
export const isBinary = (type: ArrowType): boolean =>
  BINARIES.has(type.kind) || type.kind === 'FixedSizeBinary'
export const isJsonb = (type: ArrowType): boolean => {
  const value = plain(type)
  return value.kind === 'Binary' && value.jsonb === true
}
export const isTemporal = (type: ArrowType): boolean =>
  ['Date32', 'Date64', 'Time32', 'Time64', 'Timestamp', 'Duration', 'Interval'].includes(type.kind)

/** Bits of an integer type. */
export function bitsOf(type: ArrowType): number {
  return Number(/\d+$/.exec(type.kind)?.[0] ?? 0)
}

/** The type as `arrow_typeof` prints it. */
export function typeName(type: ArrowType): string {
  switch (type.kind) {
    case 'FixedSizeBinary':
      return `FixedSizeBinary(${type.size})`
    case 'Decimal128':
      return `Decimal128(${type.precision}, ${type.scale})`
    case 'Time32':
    case 'Time64':
    case 'Duration':
      return `${type.kind}(${unitName(type.unit)})`
    case 'Timestamp':
      return type.tz === undefined
        ? `Timestamp(${unitName(type.unit)})`
        : `Timestamp(${unitName(type.unit)}, "${type.tz}")`
    case 'Interval':
      return 'Interval(MonthDayNano)'
    case 'Dictionary':
      return `Dictionary(${typeName(type.index)}, ${typeName(type.value)})`
    case 'List':
      return `List(${memberName(type.item, 'item')})`
    case 'Struct':
      return `Struct(${type.fields.map((field) => `"${field.name}": ${nullability(field)}${typeName(field.type)}`).join(', ')})`
    case 'Map':
      return `Map("entries": non-null Struct("key": non-null ${typeName(type.key)}, "value": ${typeName(type.value)}), unsorted)`
    default:
      return type.kind
  }
}

function unitName(unit: TimeUnit): string {
  return unit === 'us' ? 'µs' : unit
}

function nullability(field: Field): string {
  return field.nullable ? '' : 'non-null '
}

function memberName(field: Field, usual: string): string {
  const name = field.name === usual ? '' : `, field: '${field.name}'`
  return `${nullability(field)}${typeName(field.type)}${name}`
}

export function sameType(a: ArrowType, b: ArrowType): boolean {
  return a === b || (typeName(a) === typeName(b) && isJsonb(a) === isJsonb(b))
}
