import {
  Field as ArrowField,
  TimeUnit as ArrowUnit,
  Binary,
  Bool,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Dictionary,
  DurationMicrosecond,
  DurationMillisecond,
  DurationNanosecond,
  DurationSecond,
  FixedSizeBinary,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  IntervalMonthDayNano,
  LargeBinary,
  LargeUtf8,
  List,
  Map_,
  Null,
  Schema,
  Struct,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimeSecond,
  Timestamp,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  Utf8View,
} from 'apache-arrow'
import type { ArrowType, Field, TimeUnit } from '../types/arrow-type.ts'

const UNITS: Readonly<Record<TimeUnit, ArrowUnit>> = {
  s: ArrowUnit.SECOND,
  ms: ArrowUnit.MILLISECOND,
  us: ArrowUnit.MICROSECOND,
  ns: ArrowUnit.NANOSECOND,
}

const DURATIONS = {
  s: DurationSecond,
  ms: DurationMillisecond,
  us: DurationMicrosecond,
  ns: DurationNanosecond,
}
const TIMES = { s: TimeSecond, ms: TimeMillisecond, us: TimeMicrosecond, ns: TimeNanosecond }

/**
 * The schema of an answer.
 *
 * @param dictionaries - Whether dictionaries stay; else their values stand in their place.
 */
export function arrowSchema(fields: readonly Field[], dictionaries: boolean): Schema {
  const ids = { next: 0 }
  return new Schema(fields.map((field) => arrowField(field, dictionaries, ids)))
}

interface Ids {
  next: number
}

function arrowField({ name, type, nullable }: Field, dictionaries: boolean, ids: Ids): ArrowField {
  return new ArrowField(name, arrowType(type, dictionaries, ids), nullable)
}

function arrowType(type: ArrowType, dictionaries: boolean, ids: Ids): DataType {
  switch (type.kind) {
    case 'Null':
      return new Null()
    case 'Boolean':
      return new Bool()
    case 'Int8':
      return new Int8()
    case 'Int16':
      return new Int16()
    case 'Int32':
      return new Int32()
    case 'Int64':
      return new Int64()
    case 'UInt8':
      return new Uint8()
    case 'UInt16':
      return new Uint16()
    case 'UInt32':
      return new Uint32()
    case 'UInt64':
      return new Uint64()
    case 'Float16':
      return new Float16()
    case 'Float32':
      return new Float32()
    case 'Float64':
      return new Float64()
    case 'Decimal128':
      return new Decimal(type.scale, type.precision, 128)
    case 'Utf8':
      return new Utf8()
    case 'LargeUtf8':
      return new LargeUtf8()
    case 'Utf8View':
      return new Utf8View()
    case 'Binary':
    case 'BinaryView':
      return new Binary()
    case 'LargeBinary':
      return new LargeBinary()
    case 'FixedSizeBinary':
      return new FixedSizeBinary(type.size)
    case 'Date32':
      return new DateDay()
    case 'Date64':
      return new DateMillisecond()
    case 'Time32':
    case 'Time64':
      return new TIMES[type.unit]()
    case 'Timestamp':
      return new Timestamp(UNITS[type.unit], type.tz)
    case 'Duration':
      return new DURATIONS[type.unit]()
    case 'Interval':
      return new IntervalMonthDayNano()
    case 'Dictionary':
      return dictionaries
        ? new Dictionary(arrowType(type.value, false, ids), new Int32(), ids.next++)
        : arrowType(type.value, false, ids)
    case 'List':
      return new List(arrowField(type.item, dictionaries, ids))
    case 'Struct':
      return new Struct(type.fields.map((field) => arrowField(field, dictionaries, ids)))
    case 'Map':
      return new Map_(
        new ArrowField(
          'entries',
          new Struct([
            arrowField({ name: 'key', type: type.key, nullable: false }, dictionaries, ids),
            arrowField({ name: 'value', type: type.value, nullable: true }, dictionaries, ids),
          ]) as never,
          false,
        ) as never,
      )
  }
}
