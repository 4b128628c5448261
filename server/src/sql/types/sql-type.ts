import { planError, unsupported } from '../sql-error.ts'
import {
  type ArrowType,
  BINARY,
  BOOLEAN,
  DATE32,
  decimal,
  FLOAT32,
  FLOAT64,
  INT8,
  INT16,
  INT32,
  INT64,
  INTERVAL,
  listOf,
  structOf,
  type TimeUnit,
  timestamp,
  UINT8,
  UINT16,
  UINT32,
  UINT64,
  UTF8_VIEW,
} from './arrow-type.ts'

const SIMPLE: Readonly<Record<string, ArrowType>> = {
  Boolean: BOOLEAN,
  Bool: BOOLEAN,
  TinyInt: INT8,
  SmallInt: INT16,
  Int2: INT16,
  Int: INT32,
  Integer: INT32,
  Int4: INT32,
  BigInt: INT64,
  Int8: INT64,
  TinyIntUnsigned: UINT8,
  SmallIntUnsigned: UINT16,
  Int2Unsigned: UINT16,
  IntUnsigned: UINT32,
  IntegerUnsigned: UINT32,
  Int4Unsigned: UINT32,
  BigIntUnsigned: UINT64,
  Int8Unsigned: UINT64,
  UnsignedInteger: UINT32,
  Real: FLOAT32,
  Float4: FLOAT32,
  Double: FLOAT64,
  DoublePrecision: FLOAT64,
  Float8: FLOAT64,
  Char: UTF8_VIEW,
  Varchar: UTF8_VIEW,
  Text: UTF8_VIEW,
  String: UTF8_VIEW,
  Date: DATE32,
  Bytea: BINARY,
  Interval: INTERVAL,
}

/** The type that a name in a query stands for, such as `BIGINT`. */
// biome-ignore lint/suspicious/noExplicitAny: a node of the parser's tree
export function sqlType(node: any): ArrowType {
  const kind: string = typeof node === 'string' ? node : (Object.keys(node as object)[0] ?? '')
  const content = typeof node === 'string' ? undefined : node[kind]
  if (kind === 'Float') {
    const precision = typeof content === 'number' ? content : (content?.Precision as number | undefined)
    return precision !== undefined && precision > 24 ? FLOAT64 : FLOAT32
  }
  if (kind === 'Varchar' || kind === 'Char') {
    if (content != null) {
      throw unsupported(
        'does not support Varchar with length, please set `support_varchar_with_length` to be true',
      )
    }
    return UTF8_VIEW
  }
  if (kind === 'Timestamp' || kind === 'TimestampNtz') return timestampType(content)
  if (kind === 'Time') return { kind: 'Time64', unit: 'ns' }
  if (kind === 'Numeric' || kind === 'Decimal' || kind === 'Dec') {
    const numbers =
      content?.PrecisionAndScale ?? (content?.Precision === undefined ? undefined : [content.Precision, 0])
    const [precision, scale] = (numbers ?? [38, 10]) as [number, number]
    if (precision < 1 || precision > 38 || scale > precision) {
      throw planError(
        `Decimal(precision = ${precision}, scale = ${scale}) should satisfy \`0 < precision <= 76\`, and \`scale <= precision\`.`,
      )
    }
    return decimal(precision, scale)
  }
  if (kind === 'Array') {
    const inner = content?.SquareBracket?.[0] ?? content?.AngleBracket ?? content?.Parenthesis
    if (inner) return listOf(sqlType(inner))
  }
  if (kind === 'Struct') {
    return structOf(
      // biome-ignore lint/suspicious/noExplicitAny: a node of the parser's tree
      (content[0] as any[]).map((field, i) => ({
        name: (field.field_name?.value as string | undefined) ?? `c${i}`,
        type: sqlType(field.field_type),
        nullable: true,
      })),
    )
  }
  const type = Object.hasOwn(SIMPLE, kind) ? SIMPLE[kind] : undefined
  if (type === undefined)
    throw unsupported(`Unsupported SQL type ${kind === 'Custom' ? customName(content) : kind}`)
  return type
}

// biome-ignore lint/suspicious/noExplicitAny: a node of the parser's tree
function customName(content: any): string {
  // biome-ignore lint/suspicious/noExplicitAny: a node of the parser's tree
  return (content[0] as any[]).map((part) => part.Identifier?.value as string).join('.')
}

function timestampType(content: readonly [number | null, string] | number | null): ArrowType {
  const [precision, zone] = Array.isArray(content) ? content : [content as number | null, 'None']
  const unit = ({ 0: 's', 3: 'ms', 6: 'us', 9: 'ns' } as Record<number, TimeUnit>)[precision ?? 9]
  if (unit === undefined) throw unsupported(`Unsupported SQL type TIMESTAMP(${precision})`)
  return timestamp(unit, zone === 'Tz' || zone === 'WithTimeZone' ? '+00:00' : undefined)
}

/** A type as `arrow_cast` and `arrow_typeof` write it, such as `Timestamp(ns, "+00:00")`. */
export function parseArrowType(text: string): ArrowType {
  const reader = new TypeReader(text)
  const type = reader.read()
  reader.end()
  return type
}

class TypeReader {
  readonly #tokens: string[]
  readonly #text: string

  constructor(text: string) {
    this.#text = text
    this.#tokens = text.match(/[A-Za-z_][A-Za-z0-9_]*|-?\d+|"[^"]*"|'[^']*'|µs|[(),:]/g) ?? []
  }

  read(): ArrowType {
    const name = this.#next()
    switch (name) {
      case 'Timestamp': {
        const unit = this.#unit()
        const tz = this.#optional()
        this.#expect(')')
        return timestamp(unit, tz)
      }
      case 'Time32':
      case 'Time64':
      case 'Duration': {
        const unit = this.#unit()
        this.#expect(')')
        return { kind: name, unit }
      }
      case 'Interval':
        this.#expect('(')
        this.#next()
        this.#expect(')')
        return INTERVAL
      case 'Dictionary': {
        this.#expect('(')
        const index = this.read()
        this.#expect(',')
        const value = this.read()
        this.#expect(')')
        return { kind: 'Dictionary', index, value }
      }
      case 'Decimal128': {
        this.#expect('(')
        const precision = Number(this.#next())
        this.#expect(',')
        const scale = Number(this.#next())
        this.#expect(')')
        return decimal(precision, scale)
      }
      case 'FixedSizeBinary': {
        this.#expect('(')
        const size = Number(this.#next())
        this.#expect(')')
        return { kind: 'FixedSizeBinary', size }
      }
      case 'List':
      case 'LargeList': {
        this.#expect('(')
        const nullable = this.#tokens[0] !== 'non'
        const item = this.read()
        this.#expect(')')
        return listOf(item, nullable)
      }
      case 'Float16':
      case 'Float32':
      case 'Float64':
      case 'Int8':
      case 'Int16':
      case 'Int32':
      case 'Int64':
      case 'UInt8':
      case 'UInt16':
      case 'UInt32':
      case 'UInt64':
      case 'Utf8':
      case 'LargeUtf8':
      case 'Utf8View':
      case 'Binary':
      case 'LargeBinary':
      case 'BinaryView':
      case 'Boolean':
      case 'Null':
      case 'Date32':
      case 'Date64':
        return { kind: name }
      default:
        throw this.#error()
    }
  }

  end(): void {
    if (this.#tokens.length > 0) throw this.#error()
  }

  #unit(): TimeUnit {
    this.#expect('(')
    const names: Record<string, TimeUnit> = {
      s: 's',
      ms: 'ms',
      us: 'us',
      µs: 'us',
      ns: 'ns',
      Second: 's',
      Millisecond: 'ms',
      Microsecond: 'us',
      Nanosecond: 'ns',
    }
    const unit = names[this.#next()]
    if (unit === undefined) throw this.#error()
    return unit
  }

  #optional(): string | undefined {
    if (this.#tokens[0] !== ',') return undefined
    this.#next()
    const token = this.#next()
    if (token === 'None') return undefined
    if (token === 'Some') {
      this.#expect('(')
      const zone = this.#next()
      this.#expect(')')
      return zone.slice(1, -1)
    }
    return token.slice(1, -1)
  }

  #next(): string {
    const token = this.#tokens.shift()
    if (token === undefined) throw this.#error()
    return token
  }

  #expect(token: string): void {
    if (this.#next() !== token) throw this.#error()
  }

  #error(): Error {
    return unsupported(
      `Unsupported type '${this.#text}'. Must be a supported arrow type name such as 'Int32' or 'Timestamp(ns)'.`,
    )
  }
}
