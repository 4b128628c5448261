import type { ArrowType } from './arrow-type.ts'

/**
 * The DuckDB type that holds values of an Arrow type. Points in time and durations are integers of their own unit, so
 * that no nanosecond is lost; JSONB is JSON text; an interval has months, days and nanoseconds apart.
 */
export function duckType(type: ArrowType): string {
  switch (type.kind) {
    case 'Null':
      return 'INTEGER'
    case 'Boolean':
      return 'BOOLEAN'
    case 'Int8':
      return 'TINYINT'
    case 'Int16':
      return 'SMALLINT'
    case 'Int32':
    case 'Date32':
    case 'Time32':
      return 'INTEGER'
    case 'Int64':
    case 'Date64':
    case 'Time64':
    case 'Timestamp':
    case 'Duration':
      return 'BIGINT'
    case 'UInt8':
      return 'UTINYINT'
    case 'UInt16':
      return 'USMALLINT'
    case 'UInt32':
      return 'UINTEGER'
    case 'UInt64':
      return 'UBIGINT'
    case 'Float16':
    case 'Float32':
      return 'FLOAT'
    case 'Float64':
      return 'DOUBLE'
    case 'Decimal128':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'Utf8':
    case 'LargeUtf8':
    case 'Utf8View':
      return 'VARCHAR'
    case 'Binary':
    case 'LargeBinary':
    case 'BinaryView':
      return type.jsonb === true ? 'VARCHAR' : 'BLOB'
    case 'FixedSizeBinary':
      return 'BLOB'
    case 'Interval':
      return 'STRUCT(m INTEGER, d INTEGER, n BIGINT)'
    case 'Dictionary':
      return duckType(type.value)
    case 'List':
      return `${duckType(type.item.type)}[]`
    case 'Struct':
      return `STRUCT(${type.fields.map((field, i) => `f${i} ${duckType(field.type)}`).join(', ')})`
    case 'Map':
      return `MAP(${duckType(type.key)}, ${duckType(type.value)})`
  }
}
