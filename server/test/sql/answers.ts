import { type DataType, RecordBatchReader, Type, type Vector } from 'apache-arrow'
import type { SqlAnswer, SqlEngine, SqlRequest } from '../../src/sql/engine.ts'

export interface PlainAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string; readonly nullable: boolean }[]
  readonly rows: readonly (readonly unknown[])[]
}

/** Frames messages as a stream that any Arrow library reads. */
export async function toIpcStream(answer: SqlAnswer): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  const push = ({ header, body }: { header: Uint8Array; body: Uint8Array }): void => {
    const prefix = Buffer.alloc(8)
    prefix.writeUInt32LE(0xffffffff, 0)
    prefix.writeUInt32LE(header.length, 4)
    parts.push(prefix, header, body)
  }
  push(answer.schema)
  for await (const batch of answer.batches) batch.messages.forEach(push)
  parts.push(Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]))
  return Buffer.concat(parts)
}

/** Asks and reads the whole answer in the form of the recorded ones. */
export async function ask(engine: SqlEngine, request: SqlRequest): Promise<PlainAnswer> {
  const stream = await toIpcStream(await engine.query(request))
  const reader = RecordBatchReader.from(stream).open()
  const { schema } = reader // gone after the last batch
  const batches = [...reader]
  const rows: unknown[][] = []
  for (const batch of batches) {
    const columns = schema.fields.map((_, i) => batch.getChildAt(i)!)
    for (let row = 0; row < batch.numRows; row++) rows.push(columns.map((column) => plain(column, row)))
  }
  const columns = schema.fields.map(({ name, type, nullable }) => ({ name, type: typeText(type), nullable }))
  return { columns, rows }
}

const UNITS = ['s', 'ms', 'us', 'ns']

/** The type as pyarrow prints it. */
// biome-ignore lint/suspicious/noExplicitAny: the classes of Arrow's types share no useful type
export function typeText(type: any): string {
  switch (type.typeId as Type) {
    case Type.Int:
      return `${type.isSigned ? '' : 'u'}int${type.bitWidth}`
    case Type.Float:
      return ['halffloat', 'float', 'double'][type.precision as number]!
    case Type.Bool:
      return 'bool'
    case Type.Null:
      return 'null'
    case Type.Utf8:
      return 'string'
    case Type.LargeUtf8:
      return 'large_string'
    case Type.Utf8View:
      return 'string_view'
    case Type.Binary:
      return 'binary'
    case Type.FixedSizeBinary:
      return `fixed_size_binary[${type.byteWidth}]`
    case Type.Timestamp:
      return type.timezone
        ? `timestamp[${UNITS[type.unit as number]}, tz=${type.timezone}]`
        : `timestamp[${UNITS[type.unit as number]}]`
    case Type.Duration:
      return `duration[${UNITS[type.unit as number]}]`
    case Type.Date:
      return type.unit === 0 ? 'date32[day]' : 'date64[ms]'
    case Type.Time:
      return `time${type.bitWidth}[${UNITS[type.unit as number]}]`
    case Type.Interval:
      return 'month_day_nano_interval'
    case Type.Decimal:
      return `decimal128(${type.precision}, ${type.scale})`
    case Type.Dictionary:
      return `dictionary<values=${typeText(type.dictionary)}, indices=${typeText(type.indices)}, ordered=0>`
    case Type.List:
      return `list<${memberText(type.children[0])}>`
    case Type.Struct:
      return `struct<${(type.children as unknown[]).map(memberText).join(', ')}>`
    case Type.Map:
      return `map<${typeText(type.children[0].type.children[0].type)}, ${typeText(type.children[0].type.children[1].type)}>`
    default:
      return String(type)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: see above
function memberText(field: any): string {
  return `${field.name}: ${typeText(field.type)}${field.nullable ? '' : ' not null'}`
}

function plain(column: Vector, row: number): unknown {
  const type = column.type as DataType & { dictionary?: DataType }
  let index = row
  const data = column.data.find((chunk) => {
    if (index < chunk.length) return true
    index -= chunk.length
    return false
  })!
  if (!data.getValid(index)) return null
  switch (type.typeId as Type) {
    case Type.Timestamp:
    case Type.Duration:
    case Type.Time:
    case Type.Date:
      return String((data.values as unknown as ArrayLike<bigint | number>)[index])
    case Type.Binary:
    case Type.FixedSizeBinary:
      return { hex: Buffer.from(column.get(row) as Uint8Array).toString('hex') }
    case Type.List: {
      const items = column.get(row) as Vector
      return Array.from({ length: items.length }, (_, i) => plain(items, i))
    }
    case Type.Struct: {
      const members = (type as unknown as { children: { name: string }[] }).children
      return Object.fromEntries(members.map(({ name }, i) => [name, plain(column.getChildAt(i)!, row)]))
    }
    case Type.Interval: {
      const words = (data.values as unknown as Int32Array).slice(index * 4, index * 4 + 4)
      const ns = (BigInt(words[3]!) << 32n) | BigInt(words[2]! >>> 0)
      return { months: words[0], days: words[1], nanoseconds: String(ns) }
    }
    case Type.Decimal: {
      const words = column.get(row) as Uint32Array
      let value = 0n
      for (let i = 3; i >= 0; i--) value = (value << 32n) | BigInt(words[i]!)
      return String(BigInt.asIntN(128, value))
    }
    case Type.Dictionary: {
      const value = column.get(row) as unknown
      return value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value
    }
    default: {
      const value = column.get(row) as unknown
      if (typeof value === 'bigint') return String(value)
      if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
      return value
    }
  }
}
