import {
  Type,
  type Field as WireField,
  type Schema as WireSchema,
  type DataType as WireType,
} from '@uwdata/flechette'
import { QueryError } from '../query-error.ts'
import { corrupt } from './ipc-message.ts'
import { type DataType, type Field, type Schema, type TimeUnit, typeName } from './schema.ts'

/** Digits of the widest decimal (Schema.fbs of the Arrow format: 256 bits); a scale beyond them means nothing. */
const MAX_SCALE = 76
const NO_METADATA: ReadonlyMap<string, string> = new Map()
const TIME_UNITS: readonly TimeUnit[] = ['s', 'ms', 'us', 'ns']
const FLOAT_BITS = [16, 32, 64] as const
const INTERVAL_UNITS = ['month', 'day_time', 'month_day_nano'] as const

/** Which dictionary each dictionary-encoded type takes its values from: no concern of those who read results. */
export type DictionaryIds = Map<DataType, number>

/**
 * @param ids - Is filled with the dictionaries that the schema needs.
 * @throws {@link QueryError} `UNIMPLEMENTED` for a type that this client does not know.
 */
export function schemaFromWire(schema: WireSchema, ids: DictionaryIds): Schema {
  return {
    fields: schema.fields.map((field) => fieldFromWire(field, ids)),
    metadata: schema.metadata ?? NO_METADATA,
  }
}

function fieldFromWire(field: WireField, ids: DictionaryIds): Field {
  const type = typeFromWire(field.type, field.name, ids)
  return {
    name: field.name ?? '',
    type,
    typeName: typeName(type),
    nullable: field.nullable,
    metadata: field.metadata ?? NO_METADATA,
  }
}

function typeFromWire(type: WireType, name: string, ids: DictionaryIds): DataType {
  switch (type.typeId) {
    case Type.Null:
      return { kind: 'null' }
    case Type.Bool:
      return { kind: 'bool' }
    case Type.Int:
      return { kind: 'int', bits: type.bitWidth, signed: type.signed }
    case Type.Float:
      return { kind: 'float', bits: FLOAT_BITS[type.precision] }
    case Type.Decimal:
      if (Math.abs(type.scale) > MAX_SCALE) throw corrupt(`a decimal has the scale ${type.scale}`)
      return { kind: 'decimal', bits: type.bitWidth, precision: type.precision, scale: type.scale }
    case Type.Utf8:
      return { kind: 'utf8', layout: 'plain' }
    case Type.LargeUtf8:
      return { kind: 'utf8', layout: 'large' }
    case Type.Utf8View:
      return { kind: 'utf8', layout: 'view' }
    case Type.Binary:
      return { kind: 'binary', layout: 'plain' }
    case Type.LargeBinary:
      return { kind: 'binary', layout: 'large' }
    case Type.BinaryView:
      return { kind: 'binary', layout: 'view' }
    case Type.FixedSizeBinary:
      return { kind: 'fixedSizeBinary', size: type.stride }
    case Type.Date:
      return { kind: 'date', unit: type.unit === 0 ? 'day' : 'ms' }
    case Type.Time:
      return { kind: 'time', unit: TIME_UNITS[type.unit]! }
    case Type.Duration:
      return { kind: 'duration', unit: TIME_UNITS[type.unit]! }
    case Type.Timestamp:
      return { kind: 'timestamp', unit: TIME_UNITS[type.unit]!, timezone: type.timezone || undefined }
    case Type.Interval:
      return { kind: 'interval', unit: INTERVAL_UNITS[type.unit] }
    case Type.Dictionary: {
      const index = typeFromWire(type.indices, name, ids)
      const value = typeFromWire(type.dictionary, name, ids)
      const encoded: DataType = { kind: 'dictionary', index, value, ordered: type.ordered }
      ids.set(encoded, type.id)
      return encoded
    }
    default:
      return nestedFromWire(type, name, ids)
  }
}

function nestedFromWire(type: WireType, name: string, ids: DictionaryIds): DataType {
  const children = (): Field[] =>
    'children' in type ? type.children.map((field) => fieldFromWire(field, ids)) : []
  const child = (): Field => children()[0]!
  switch (type.typeId) {
    case Type.List:
      return { kind: 'list', layout: 'plain', item: child() }
    case Type.LargeList:
      return { kind: 'list', layout: 'large', item: child() }
    case Type.ListView:
      return { kind: 'list', layout: 'view', item: child() }
    case Type.LargeListView:
      return { kind: 'list', layout: 'largeView', item: child() }
    case Type.FixedSizeList:
      return { kind: 'fixedSizeList', size: type.stride, item: child() }
    case Type.Struct:
      return { kind: 'struct', fields: children() }
    case Type.Map: {
      const entries = type.children[0].type
      if (entries.typeId !== Type.Struct || entries.children.length !== 2) break
      const [key, value] = entries.children.map((entry) => fieldFromWire(entry, ids)) as [Field, Field]
      return { kind: 'map', key, value, keysSorted: type.keysSorted }
    }
    case Type.Union: {
      const fields = children()
      return { kind: 'union', mode: type.mode === 0 ? 'sparse' : 'dense', fields, typeIds: type.typeIds }
    }
    case Type.RunEndEncoded: {
      const [runEnds, values] = children() as [Field, Field]
      return { kind: 'runEndEncoded', runEnds, values }
    }
  }
  throw new QueryError(
    'UNIMPLEMENTED',
    `Cannot read column ${JSON.stringify(name)}: its Arrow type (number ${type.typeId}) is not known to this client`,
  )
}
