import { type Call, countArgs, literalOf, type ScalarFunction } from '../plan/expression/call.ts'
import { cast } from '../plan/expression/cast.ts'
import { planError } from '../sql-error.ts'
import {
  BINARY,
  DICTIONARY_JSONB,
  DICTIONARY_UTF8,
  FLOAT64,
  INT32,
  INT64,
  isJsonb,
  isString,
  JSONB,
  listOf,
  plain,
  structOf,
  UTF8,
} from '../types/arrow-type.ts'
import { argAt, define, jsonbArg, type Table, textArg } from './define.ts'

/** `{key, value}` as `jsonb_entries` lists them. */
const ENTRIES = listOf(
  structOf([
    { name: 'key', type: UTF8, nullable: false },
    { name: 'value', type: JSONB, nullable: true },
  ]),
  false,
)

/** The name of a member: only a plain text will do, as there. */
function nameArg(call: Call): string {
  const arg = argAt(call, 1)
  if (arg.type.kind !== 'Utf8')
    throw planError(`second argument of ${call.name} must be a string`, call.place)
  return arg.sql
}

function pathArg(call: Call): string {
  if (!isString(plain(argAt(call, 1).type))) {
    throw planError(`second argument to ${call.name} must be a string`, call.place)
  }
  return textArg(call, 1).sql
}

export function jsonbFunctions(table: Table<ScalarFunction>): void {
  define(table, 'property_get', (call) => {
    countArgs(call, 2)
    return { sql: `mm_property_get(${jsonbArg(call, 0).sql}, ${nameArg(call)})`, type: DICTIONARY_UTF8 }
  })
  define(table, 'properties_length', (call) => {
    countArgs(call, 1)
    const arg = argAt(call, 0)
    if (arg.type.kind === 'List') return { sql: `CAST(len(${arg.sql}) AS INTEGER)`, type: INT32 }
    return { sql: `CAST(mm_json_length(${jsonbArg(call, 0).sql}) AS INTEGER)`, type: INT32 }
  })
  define(table, 'properties_to_array', (call) => {
    countArgs(call, 1)
    const arg = argAt(call, 0)
    if (arg.type.kind !== 'Dictionary') {
      throw planError('properties_to_array expects a Dictionary input type', call.place)
    }
    return { sql: arg.sql, type: arg.type.value }
  })
  for (const name of ['properties_to_dict', 'properties_to_jsonb']) {
    define(table, name, (call) => {
      countArgs(call, 1)
      const arg = argAt(call, 0)
      if (!isJsonb(arg.type)) throw planError(`${name} takes a list of properties or JSONB`, call.place)
      return { sql: arg.sql, type: DICTIONARY_JSONB }
    })
  }
  define(table, 'jsonb_parse', (call) => {
    countArgs(call, 1)
    const value = literalOf(call, 0)
    const text = textArg(call, 0).sql
    return {
      sql: value === null ? 'CAST(NULL AS VARCHAR)' : `mm_jsonb_parse(${text})`,
      type: DICTIONARY_JSONB,
    }
  })
  define(table, 'jsonb_format_json', (call) => {
    countArgs(call, 1)
    return { sql: jsonbArg(call, 0).sql, type: DICTIONARY_UTF8 }
  })
  define(table, 'jsonb_get', (call) => {
    countArgs(call, 2)
    return { sql: `mm_json_get(${jsonbArg(call, 0).sql}, ${nameArg(call)})`, type: DICTIONARY_JSONB }
  })
  const casts = [
    ['jsonb_as_string', 'mm_json_as_string', DICTIONARY_UTF8],
    ['jsonb_as_f64', 'mm_json_as_f64', FLOAT64],
    ['jsonb_as_i64', 'mm_json_as_i64', INT64],
    ['jsonb_array_length', 'mm_json_array_length', INT64],
    ['jsonb_object_keys', 'mm_json_keys', listOf(UTF8)],
    ['jsonb_elements', 'mm_json_elements', listOf(JSONB)],
    ['jsonb_entries', 'mm_json_entries', ENTRIES],
  ] as const
  for (const [name, duck, type] of casts) {
    define(table, name, (call) => {
      countArgs(call, 1)
      return { sql: `${duck}(${jsonbArg(call, 0).sql})`, type }
    })
  }
  define(table, 'jsonb_path_query_first', (call) => {
    countArgs(call, 2)
    return { sql: `mm_json_path_first(${jsonbArg(call, 0).sql}, ${pathArg(call)})`, type: DICTIONARY_JSONB }
  })
  define(table, 'jsonb_path_query', (call) => {
    countArgs(call, 2)
    return { sql: `mm_json_path_all(${jsonbArg(call, 0).sql}, ${pathArg(call)})`, type: DICTIONARY_JSONB }
  })
  define(table, 'jsonb_path_elements', (call) => {
    countArgs(call, 2)
    const all = `mm_json_path_all(${jsonbArg(call, 0).sql}, ${pathArg(call)})`
    return { sql: `mm_json_elements(${all})`, type: listOf(JSONB) }
  })
  define(table, 'hll_cardinality', (call) => {
    countArgs(call, 1)
    return { sql: `mm_sketch_size(${cast(argAt(call, 0), BINARY).sql})`, type: { kind: 'UInt64' } }
  })
}
