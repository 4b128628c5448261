import { AGGREGATES, SCALARS, WINDOWS } from '../functions/index.ts'
import type { TableSource } from '../plan/context.ts'
import { quote } from '../plan/expression/expr.ts'
import {
  type ArrowType,
  BOOLEAN,
  type Field,
  listOf,
  typeName,
  UINT8,
  UINT64,
  UTF8,
} from '../types/arrow-type.ts'
import { duckType } from '../types/duck-type.ts'
import { FIELDS } from './fields.ts'
import { TABLE_FUNCTIONS } from './table-functions.ts'

type Value = string | number | boolean | null

/** Tables that can be asked for by name alone, in the order in which the reference lists them. */
const TABLE_NAMES = ['log_entries', 'measures', 'processes', 'streams', 'blocks', 'log_stats'] as const

const required = (name: string, type: ArrowType = UTF8): Field => ({ name, type, nullable: false })
const optional = (name: string, type: ArrowType = UTF8): Field => ({ name, type, nullable: true })

/** A table whose rows are known. */
export function rowsSource(fields: readonly Field[], rows: readonly (readonly Value[])[]): TableSource {
  return { fields, sql: () => rowsSql(fields, rows) }
}

export function rowsSql(fields: readonly Field[], rows: readonly (readonly Value[])[]): string {
  const list = fields.map(({ type }, i) => `CAST(c${i} AS ${duckType(type)}) AS c${i}`).join(', ')
  const names = fields.map((_, i) => `c${i}`).join(', ')
  if (rows.length === 0) {
    return `SELECT ${fields.map(({ type }, i) => `CAST(NULL AS ${duckType(type)}) AS c${i}`).join(', ')} WHERE false`
  }
  const values = rows.map((row) => `(${row.map(literal).join(', ')})`).join(', ')
  return `SELECT ${list} FROM (VALUES ${values}) AS v(${names})`
}

function literal(value: Value): string {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? quote(value) : `${value}`
}

const TABLES_FIELDS = ['table_catalog', 'table_schema', 'table_name', 'table_type'].map((name) =>
  required(name),
)
const SCHEMA_TABLES = ['tables', 'views', 'columns', 'df_settings', 'schemata', 'routines', 'parameters']

const COLUMNS_FIELDS: readonly Field[] = [
  required('table_catalog'),
  required('table_schema'),
  required('table_name'),
  required('column_name'),
  required('ordinal_position', UINT64),
  optional('column_default'),
  required('is_nullable'),
  required('data_type'),
  optional('character_maximum_length', UINT64),
  optional('character_octet_length', UINT64),
  optional('numeric_precision', UINT64),
  optional('numeric_precision_radix', UINT64),
  optional('numeric_scale', UINT64),
  optional('datetime_precision', UINT64),
  optional('interval_type'),
]

const SETTINGS_FIELDS = [required('name'), optional('value'), optional('description')]

/** What a client may want to know of the session; nothing can be set. */
const SETTINGS: readonly (readonly [string, string | null])[] = [
  ['datafusion.catalog.default_catalog', 'datafusion'],
  ['datafusion.catalog.default_schema', 'public'],
  ['datafusion.catalog.information_schema', 'true'],
  ['datafusion.execution.batch_size', '8192'],
  ['datafusion.execution.time_zone', null],
  ['datafusion.sql_parser.dialect', 'generic'],
  ['datafusion.sql_parser.enable_ident_normalization', 'true'],
  ['datafusion.sql_parser.parse_float_as_decimal', 'false'],
]

const ROUTINES_FIELDS: readonly Field[] = [
  required('specific_catalog'),
  required('specific_schema'),
  required('specific_name'),
  required('routine_catalog'),
  required('routine_schema'),
  required('routine_name'),
  required('routine_type'),
  optional('is_deterministic', BOOLEAN),
  optional('data_type'),
  optional('function_type'),
  optional('description'),
  optional('syntax_example'),
]

const PARAMETERS_FIELDS: readonly Field[] = [
  required('specific_catalog'),
  required('specific_schema'),
  required('specific_name'),
  required('ordinal_position', UINT64),
  required('parameter_mode'),
  optional('parameter_name'),
  required('data_type'),
  optional('parameter_default'),
  required('is_variadic', BOOLEAN),
  required('rid', UINT8),
]

/** A table of `information_schema`; `undefined` when there is none of that name. */
export function informationSchema(name: string): TableSource | undefined {
  switch (name) {
    case 'tables':
      return rowsSource(TABLES_FIELDS, tableRows())
    case 'columns':
      return rowsSource(COLUMNS_FIELDS, columnRows())
    case 'views':
      return rowsSource(
        [required('table_catalog'), required('table_schema'), required('table_name'), optional('definition')],
        TABLE_NAMES.map((table) => ['datafusion', 'public', table, null]),
      )
    case 'schemata': {
      const rest = [
        'schema_owner',
        'default_character_set_catalog',
        'default_character_set_schema',
        'default_character_set_name',
        'sql_path',
      ]
      const fields = [
        required('catalog_name'),
        required('schema_name'),
        ...rest.map((column) => optional(column)),
      ]
      return rowsSource(
        fields,
        ['public', 'information_schema'].map((schema) => ['datafusion', schema, ...rest.map(() => null)]),
      )
    }
    case 'df_settings':
      return rowsSource(
        SETTINGS_FIELDS,
        SETTINGS.map(([setting, value]) => [setting, value, null]),
      )
    case 'routines':
      return rowsSource(ROUTINES_FIELDS, routineRows())
    case 'parameters':
      return rowsSource(PARAMETERS_FIELDS, [])
    default:
      return undefined
  }
}

function tableRows(): Value[][] {
  return [
    ...TABLE_NAMES.map((table) => ['datafusion', 'public', table, 'BASE TABLE']),
    ...SCHEMA_TABLES.map((table) => ['datafusion', 'information_schema', table, 'VIEW']),
  ]
}

function columnRows(): Value[][] {
  return TABLE_NAMES.flatMap((table) =>
    (FIELDS[table] as readonly Field[]).map((field, position) => [
      'datafusion',
      'public',
      table,
      field.name,
      position,
      null,
      field.nullable ? 'YES' : 'NO',
      typeName(field.type),
      null,
      field.type.kind === 'Utf8' || field.type.kind === 'Binary' ? 2_147_483_647 : null,
      ...numericRow(field.type),
      null,
      null,
    ]),
  )
}

function numericRow({ kind }: ArrowType): Value[] {
  const bits: Readonly<Record<string, number>> = { Int32: 32, Int64: 64, UInt32: 32, UInt64: 64 }
  if (Object.hasOwn(bits, kind)) return [bits[kind]!, 2, null]
  return kind === 'Float64' ? [24, 2, null] : [null, null, null]
}

function functionRows(): [name: string, kind: string][] {
  return [
    ...[...SCALARS.keys()].map((name): [string, string] => [name, 'SCALAR']),
    ...[...AGGREGATES.keys()].map((name): [string, string] => [name, 'AGGREGATE']),
    ...[...WINDOWS.keys()].map((name): [string, string] => [name, 'WINDOW']),
    ...[...Object.keys(TABLE_FUNCTIONS), ...SERVER_FUNCTIONS].map((name): [string, string] => [
      name,
      'TABLE',
    ]),
  ]
}

const SERVER_FUNCTIONS = [
  'list_partitions',
  'list_view_sets',
  'parse_block',
  'perfetto_trace_chunks',
  'process_spans',
  'view_instance',
]

function routineRows(): Value[][] {
  return functionRows().map(([name, kind]) => [
    'datafusion',
    'public',
    name,
    'datafusion',
    'public',
    name,
    'FUNCTION',
    null,
    null,
    kind,
    null,
    null,
  ])
}

/** `SHOW FUNCTIONS`. */
export function showFunctions(pattern: string | undefined): TableSource {
  const fields = [
    required('function_name'),
    optional('return_type'),
    optional('parameters', listOf(UTF8)),
    optional('parameter_types', listOf(UTF8)),
    optional('function_type'),
    optional('description'),
    optional('syntax_example'),
  ]
  const like = pattern === undefined ? undefined : likePattern(pattern)
  const rows = functionRows().filter(([name]) => like === undefined || like.test(name))
  return rowsSource(
    fields,
    rows.map(([name, kind]) => [name, null, null, null, kind, null, null]),
  )
}

function likePattern(pattern: string): RegExp {
  const source = pattern
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.')
  return new RegExp(`^${source}$`)
}
