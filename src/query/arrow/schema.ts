/** A unit of time. */
export type TimeUnit = 's' | 'ms' | 'us' | 'ns'

/** The Arrow type of a column, or of what is nested in one. */
export type DataType =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 16 | 32 | 64 }
  | { readonly kind: 'decimal'; readonly bits: number; readonly precision: number; readonly scale: number }
  | { readonly kind: 'utf8'; readonly layout: 'plain' | 'large' | 'view' }
  | { readonly kind: 'binary'; readonly layout: 'plain' | 'large' | 'view' }
  | { readonly kind: 'fixedSizeBinary'; readonly size: number }
  | { readonly kind: 'date'; readonly unit: 'day' | 'ms' }
  | { readonly kind: 'time'; readonly unit: TimeUnit }
  | { readonly kind: 'duration'; readonly unit: TimeUnit }
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly timezone: string | undefined }
  | { readonly kind: 'interval'; readonly unit: 'month' | 'day_time' | 'month_day_nano' }
  | { readonly kind: 'list'; readonly layout: 'plain' | 'large' | 'view' | 'largeView'; readonly item: Field }
  | { readonly kind: 'fixedSizeList'; readonly size: number; readonly item: Field }
  | { readonly kind: 'struct'; readonly fields: readonly Field[] }
  | { readonly kind: 'map'; readonly key: Field; readonly value: Field; readonly keysSorted: boolean }
  | {
      readonly kind: 'union'
      readonly mode: 'sparse' | 'dense'
      readonly fields: readonly Field[]
      readonly typeIds: readonly number[]
    }
  | {
      readonly kind: 'dictionary'
      readonly index: DataType
      readonly value: DataType
      readonly ordered: boolean
    }
  | { readonly kind: 'runEndEncoded'; readonly runEnds: Field; readonly values: Field }

/** A column, or a part of a nested type. */
export interface Field {
  /** As the server sent it; names of a result may repeat. */
  readonly name: string
  readonly type: DataType
  /** The type as text, spelled as pyarrow does: `timestamp[ns, tz=+00:00]`, `list<item: string>`. */
  readonly typeName: string
  /** Whether the server says that there may be nulls. */
  readonly nullable: boolean
  readonly metadata: ReadonlyMap<string, string>
}

/** The columns of a result. */
export interface Schema {
  readonly fields: readonly Field[]
  readonly metadata: ReadonlyMap<string, string>
}

const FLOATS = { 16: 'halffloat', 32: 'float', 64: 'double' }
const PREFIXES = { plain: '', large: 'large_', view: '', largeView: 'large_' }
const SUFFIXES = { plain: '', large: '', view: '_view', largeView: '_view' }

/** The type as text, spelled as pyarrow does. */
export function typeName(type: DataType): string {
  switch (type.kind) {
    case 'int':
      return `${type.signed ? '' : 'u'}int${type.bits}`
    case 'float':
      return FLOATS[type.bits]
    case 'decimal':
      return `decimal${type.bits}(${type.precision}, ${type.scale})`
    case 'utf8':
      return `${PREFIXES[type.layout]}string${SUFFIXES[type.layout]}`
    case 'binary':
      return `${PREFIXES[type.layout]}binary${SUFFIXES[type.layout]}`
    case 'fixedSizeBinary':
      return `fixed_size_binary[${type.size}]`
    case 'date':
      return type.unit === 'day' ? 'date32[day]' : 'date64[ms]'
    case 'time':
      return `time${type.unit === 's' || type.unit === 'ms' ? 32 : 64}[${type.unit}]`
    case 'duration':
      return `duration[${type.unit}]`
    case 'timestamp':
      return `timestamp[${type.unit}${type.timezone === undefined ? '' : `, tz=${type.timezone}`}]`
    case 'interval':
      return `${type.unit}_interval`
    case 'list':
      return `${PREFIXES[type.layout]}list${SUFFIXES[type.layout]}<${member(type.item)}>`
    case 'fixedSizeList':
      return `fixed_size_list<${member(type.item)}>[${type.size}]`
    case 'struct':
      return `struct<${type.fields.map(member).join(', ')}>`
    case 'map':
      return `map<${type.key.typeName}, ${type.value.typeName}${type.keysSorted ? ', keys_sorted' : ''}>`
    case 'union':
      return `${type.mode}_union<${type.fields.map((field, i) => `${member(field)}=${type.typeIds[i]}`).join(', ')}>`
    case 'dictionary':
      return `dictionary<values=${typeName(type.value)}, indices=${typeName(type.index)}, ordered=${type.ordered ? 1 : 0}>`
    case 'runEndEncoded':
      return `run_end_encoded<run_ends: ${type.runEnds.typeName}, values: ${type.values.typeName}>`
    default:
      return type.kind
  }
}

function member(field: Field): string {
  return `${field.name}: ${field.typeName}${field.nullable ? '' : ' not null'}`
}
