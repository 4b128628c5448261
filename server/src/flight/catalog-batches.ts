import {
  Binary,
  Bool,
  type DataType,
  DenseUnion,
  Field,
  Int32,
  Int64,
  List,
  Map_,
  makeBuilder,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Uint32,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { batchMessages, type IpcMessage, schemaMessage } from '../sql/arrow/ipc.ts'

/** A table of the catalogue. */
export interface CatalogTable {
  readonly name: string
  /** Its schema as an IPC message; only where it was asked for. */
  readonly schema?: Uint8Array | undefined
}

/** Columns as FlightSql.proto has them for CommandGetTables. */
export function tablesBatch(tables: readonly CatalogTable[], includeSchema: boolean): readonly IpcMessage[] {
  const columns: [string, DataType, unknown[]][] = [
    ['catalog_name', new Utf8(), tables.map(() => '')],
    ['db_schema_name', new Utf8(), tables.map(() => '')],
    ['table_name', new Utf8(), tables.map(({ name }) => name)],
    ['table_type', new Utf8(), tables.map(() => 'table')],
  ]
  if (includeSchema) columns.push(['table_schema', new Binary(), tables.map(({ schema }) => schema)])
  return messages(columns, ['catalog_name', 'db_schema_name'])
}

export function catalogsBatch(): readonly IpcMessage[] {
  return messages([['catalog_name', new Utf8(), ['']]])
}

export function schemasBatch(): readonly IpcMessage[] {
  const columns: Columns = [
    ['catalog_name', new Utf8(), ['']],
    ['db_schema_name', new Utf8(), ['']],
  ]
  return messages(columns, ['catalog_name'])
}

export function tableTypesBatch(): readonly IpcMessage[] {
  return messages([['table_type', new Utf8(), ['table']]])
}

type Columns = readonly (readonly [string, DataType, readonly unknown[]])[]

/** @param nullable - Drivers refuse a catalogue in which other columns than those of FlightSql.proto are. */
function messages(columns: Columns, nullable: readonly string[] = []): readonly IpcMessage[] {
  const schema = new Schema(columns.map(([name, type]) => new Field(name, type, nullable.includes(name))))
  const children = columns.map(
    ([, type, values]) => vectorFromArray(values, type).data[0] ?? makeData({ type }),
  )
  const length = columns[0]?.[2].length ?? 0
  const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children })
  return [schemaMessage(schema), ...batchMessages(new RecordBatch(schema, data))]
}

/** Names of FlightSql.proto's `SqlInfo`. */
const SERVER_INFO: readonly (readonly [number, string | boolean])[] = [
  [0, 'Micromegas Flight SQL Server'],
  [1, '1'],
  [2, '1.3'],
  [3, true], // read only
]

/** The columns of CommandGetSqlInfo: a number, and a union of which the first two kinds are used. */
export function sqlInfoBatch(wanted: readonly number[]): readonly IpcMessage[] {
  const infos = SERVER_INFO.filter(([number]) => wanted.length === 0 || wanted.includes(number))
  const kinds = [
    new Field('string_value', new Utf8(), true),
    new Field('bool_value', new Bool(), true),
    new Field('bigint_value', new Int64(), true),
    new Field('int32_bitmask', new Int32(), true),
    new Field('string_list', new List(new Field('item', new Utf8(), true)), true),
    new Field(
      'int32_to_int32_list_map',
      new Map_(
        new Field(
          'entries',
          new Struct<{ key: Int32; value: List<Int32> }>([
            new Field('key', new Int32(), false),
            new Field('value', new List(new Field('item', new Int32(), true)), true),
          ]),
          false,
        ),
        false,
      ),
      true,
    ),
  ]
  const union = new DenseUnion(
    kinds.map((_, i) => i),
    kinds,
  )
  const schema = new Schema([new Field('info_name', new Uint32(), false), new Field('value', union, false)])
  const texts = infos.map(([, value]) => value).filter((value) => typeof value === 'string')
  const flags = infos.map(([, value]) => value).filter((value) => typeof value === 'boolean')
  const next: [number, number] = [0, 0]
  const typeIds = Int8Array.from(infos, ([, value]) => (typeof value === 'string' ? 0 : 1))
  const offsets = Int32Array.from(typeIds, (id) => next[id as 0 | 1]++)
  const values = makeData({
    type: union,
    length: infos.length,
    typeIds,
    valueOffsets: offsets,
    children: [
      vectorFromArray(texts, new Utf8()).data[0] ?? makeData({ type: new Utf8() }),
      vectorFromArray(flags, new Bool()).data[0] ?? makeData({ type: new Bool() }),
      ...kinds.slice(2).map(({ type }) => makeBuilder({ type }).finish().flush()),
    ],
  } as never)
  const names = makeData({ type: new Uint32(), data: Uint32Array.from(infos, ([number]) => number) })
  const data = makeData({
    type: new Struct(schema.fields),
    length: infos.length,
    nullCount: 0,
    children: [names, values],
  })
  return [schemaMessage(schema), ...batchMessages(new RecordBatch(schema as never, data as never))]
}
