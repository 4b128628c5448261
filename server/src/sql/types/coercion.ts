import {
  type ArrowType,
  bitsOf,
  decimal,
  type Field,
  FLOAT32,
  FLOAT64,
  INT8,
  INT16,
  INT32,
  INT64,
  INTERVAL,
  isBinary,
  isFloat,
  isInteger,
  isNumeric,
  isString,
  isUnsigned,
  LARGE_UTF8,
  plain,
  sameType,
  TIMESTAMP_NS,
  type TimeUnit,
  UINT8,
  UINT16,
  UINT32,
  UINT64,
  UTF8,
  UTF8_VIEW,
} from './arrow-type.ts'

type Coerce = (a: ArrowType, b: ArrowType) => ArrowType | undefined

/** The type to compare two values in (operators, IN, BETWEEN, CASE x WHEN), by DataFusion's rules; prefers numbers to texts. */
export const comparisonType: Coerce = (a, b) => commonType(a, b, comparisonType, stringNumberAsNumber)

/** The type that holds values of both (UNION, branches of CASE, COALESCE), by DataFusion's rules; prefers texts to numbers. */
export const unionType: Coerce = (a, b) => commonType(a, b, unionType, stringNumberAsString)

function commonType(a: ArrowType, b: ArrowType, self: Coerce, mixed: Coerce): ArrowType | undefined {
  if (sameType(a, b)) return a
  return (
    numericType(a, b) ??
    dictionaryType(a, b, self) ??
    temporalComparison(a, b) ??
    stringType(a, b) ??
    listType(a, b, self) ??
    nullType(a, b) ??
    mixed(a, b) ??
    stringTemporal(a, b) ??
    binaryType(a, b) ??
    structType(a, b, self)
  )
}

/** The common type of all, nulls aside; `undefined` when there is none. */
export function commonOf(types: readonly ArrowType[], coerce: Coerce): ArrowType | undefined {
  let common: ArrowType | undefined
  for (const type of types) {
    common = common === undefined ? type : coerce(common, type)
    if (common === undefined) return undefined
  }
  return common
}

export const numericType: Coerce = (a, b) => {
  if (!isNumeric(a) || !isNumeric(b)) return undefined
  if (sameType(a, b)) return a
  if (a.kind === 'Decimal128' || b.kind === 'Decimal128') return widerDecimal(asDecimal(a), asDecimal(b))
  return arithmeticNumber(a, b)
}

/** The type in which two numbers that are no decimals are added or compared. */
export const arithmeticNumber: Coerce = (a, b) => {
  if (!isNumeric(a) || !isNumeric(b)) return undefined
  if (isFloat(a) || isFloat(b)) {
    return a.kind === 'Float64' || b.kind === 'Float64' ? FLOAT64 : FLOAT32
  }
  const signed = isUnsigned(a) !== isUnsigned(b)
  if (signed) {
    const unsignedBits = bitsOf(isUnsigned(a) ? a : b)
    const signedBits = bitsOf(isUnsigned(a) ? b : a)
    if (unsignedBits === 64) return decimal(20, 0)
    return signedOf(Math.max(signedBits, unsignedBits * 2))
  }
  const bits = Math.max(bitsOf(a), bitsOf(b))
  return isUnsigned(a) ? unsignedOf(bits) : signedOf(bits)
}

function signedOf(bits: number): ArrowType {
  return bits <= 8 ? INT8 : bits <= 16 ? INT16 : bits <= 32 ? INT32 : INT64
}

function unsignedOf(bits: number): ArrowType {
  return bits <= 8 ? UINT8 : bits <= 16 ? UINT16 : bits <= 32 ? UINT32 : UINT64
}

export interface Decimal {
  readonly precision: number
  readonly scale: number
}

/** A number's type as the decimal that DataFusion takes for it. */
export function asDecimal(type: ArrowType): Decimal {
  if (type.kind === 'Decimal128') return type
  if (isFloat(type))
    return type.kind === 'Float64' ? { precision: 30, scale: 15 } : { precision: 14, scale: 7 }
  return { precision: { 8: 3, 16: 5, 32: 10 }[bitsOf(type)] ?? 20, scale: 0 }
}

function widerDecimal(a: Decimal, b: Decimal): ArrowType {
  const scale = Math.max(a.scale, b.scale)
  return decimal(Math.max(a.precision - a.scale, b.precision - b.scale) + scale, scale)
}

function dictionaryType(a: ArrowType, b: ArrowType, coerce: Coerce): ArrowType | undefined {
  if (a.kind === 'Dictionary' && b.kind === 'Dictionary') return coerce(a.value, b.value)
  if (a.kind === 'Dictionary') return sameType(a.value, b) ? a : coerce(a.value, b)
  if (b.kind === 'Dictionary') return sameType(b.value, a) ? b : coerce(a, b.value)
  return undefined
}

const UNITS: readonly TimeUnit[] = ['ns', 'us', 'ms', 's']

export function finerUnit(a: TimeUnit, b: TimeUnit): TimeUnit {
  return UNITS[Math.min(UNITS.indexOf(a), UNITS.indexOf(b))] ?? 'ns'
}

/** Timestamps of different zones have an order: all count from the same epoch. */
function temporalComparison(a: ArrowType, b: ArrowType): ArrowType | undefined {
  if (a.kind === 'Timestamp' && b.kind === 'Timestamp') {
    return { kind: 'Timestamp', unit: finerUnit(a.unit, b.unit), tz: a.tz ?? b.tz }
  }
  return temporalType(a, b)
}

/** The type for arithmetic of two points in time; zones must agree. */
export function temporalArithmetic(a: ArrowType, b: ArrowType): ArrowType | undefined {
  if (a.kind === 'Timestamp' && b.kind === 'Timestamp') {
    if (a.tz !== undefined && b.tz !== undefined && a.tz !== b.tz && !(isUtc(a.tz) && isUtc(b.tz)))
      return undefined
    return { kind: 'Timestamp', unit: finerUnit(a.unit, b.unit), tz: a.tz ?? b.tz }
  }
  return temporalType(a, b)
}

const isUtc = (tz: string): boolean => tz === 'UTC' || tz === '+00:00'
const isDate = (type: ArrowType): boolean => type.kind === 'Date32' || type.kind === 'Date64'
const isTime = (type: ArrowType): boolean => type.kind === 'Time32' || type.kind === 'Time64'

function temporalType(a: ArrowType, b: ArrowType): ArrowType | undefined {
  const isSpan = (type: ArrowType): boolean => type.kind === 'Interval' || type.kind === 'Duration'
  if (isSpan(a) && isSpan(b)) return INTERVAL
  if (isDate(a) && isInteger(b)) return a
  if (isInteger(a) && isDate(b)) return b
  if (isDate(a) && isDate(b)) return { kind: 'Date64' }
  if ((isDate(a) && isTime(b)) || (isTime(a) && isDate(b))) return TIMESTAMP_NS
  if ((isDate(a) && b.kind === 'Timestamp') || (a.kind === 'Timestamp' && isDate(b))) return TIMESTAMP_NS
  return undefined
}

export const stringType: Coerce = (a, b) => {
  if (!isString(a) || !isString(b)) return undefined
  if (a.kind === 'Utf8View' || b.kind === 'Utf8View') return UTF8_VIEW
  return a.kind === 'LargeUtf8' || b.kind === 'LargeUtf8' ? LARGE_UTF8 : UTF8
}

function listType(a: ArrowType, b: ArrowType, coerce: Coerce): ArrowType | undefined {
  if (a.kind !== 'List' || b.kind !== 'List') return undefined
  const type = coerce(a.item.type, b.item.type)
  if (type === undefined) return undefined
  return { kind: 'List', item: { name: a.item.name, type, nullable: a.item.nullable || b.item.nullable } }
}

const nullType: Coerce = (a, b) => (a.kind === 'Null' ? b : b.kind === 'Null' ? a : undefined)

function stringNumberAsNumber(a: ArrowType, b: ArrowType): ArrowType | undefined {
  if (isNumeric(a) && isString(b)) return a
  return isString(a) && isNumeric(b) ? b : undefined
}

function stringNumberAsString(a: ArrowType, b: ArrowType): ArrowType | undefined {
  if (isNumeric(a) && isString(b)) return b
  return isString(a) && isNumeric(b) ? a : undefined
}

function stringTemporal(a: ArrowType, b: ArrowType): ArrowType | undefined {
  const temporal = isString(a) ? b : isString(b) ? a : undefined
  if (temporal === undefined) return undefined
  if (isDate(temporal) || isTime(temporal)) return temporal
  return temporal.kind === 'Timestamp' ? { ...temporal, unit: 'ns' } : undefined
}

function binaryType(a: ArrowType, b: ArrowType): ArrowType | undefined {
  const isOne = isBinary(a) || isBinary(b)
  if (!isOne || !(isBinary(a) || isString(a)) || !(isBinary(b) || isString(b))) return undefined
  const kinds = [a.kind, b.kind]
  if (kinds.includes('BinaryView')) return { kind: 'BinaryView' }
  if (kinds.includes('LargeBinary') || kinds.includes('Utf8View') || kinds.includes('LargeUtf8'))
    return { kind: 'LargeBinary' }
  return { kind: 'Binary' }
}

function structType(a: ArrowType, b: ArrowType, coerce: Coerce): ArrowType | undefined {
  if (a.kind !== 'Struct' || b.kind !== 'Struct' || a.fields.length !== b.fields.length) return undefined
  const fields: Field[] = []
  for (const [i, field] of a.fields.entries()) {
    const other = b.fields.find(({ name }) => name === field.name) ?? b.fields[i]
    const type = other && coerce(field.type, other.type)
    if (type === undefined || other === undefined) return undefined
    fields.push({ name: field.name, type, nullable: field.nullable || other.nullable })
  }
  return { kind: 'Struct', fields }
}

/** The type of bitwise operators. */
export const bitwiseType: Coerce = (a, b) => {
  if (a.kind === 'Null') return isInteger(b) ? b : undefined
  if (b.kind === 'Null') return isInteger(a) ? a : undefined
  if (!isInteger(plain(a)) || !isInteger(plain(b))) return undefined
  if (plain(a).kind === 'UInt64' || plain(b).kind === 'UInt64') return UINT64
  return arithmeticNumber(plain(a), plain(b))
}

/** The type of texts in LIKE, ILIKE and regular expressions. */
export const patternType: Coerce = (a, b) => {
  const left = plain(a)
  const right = plain(b)
  if (left.kind === 'Null') return right.kind === 'Null' ? UTF8 : isString(right) ? right : undefined
  if (right.kind === 'Null') return isString(left) ? left : undefined
  return stringType(left, right)
}
