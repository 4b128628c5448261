import { type Call, countArgs, literalOf, type ScalarFunction } from '../plan/expression/call.ts'
import { cast } from '../plan/expression/cast.ts'
import { quote } from '../plan/expression/expr.ts'
import { planError } from '../sql-error.ts'
import {
  type ArrowType,
  BOOLEAN,
  isString,
  LARGE_UTF8,
  plain,
  structOf,
  typeName,
  UTF8,
  UTF8_VIEW,
} from '../types/arrow-type.ts'
import { commonOf, comparisonType, unionType } from '../types/coercion.ts'
import { duckType } from '../types/duck-type.ts'
import { parseArrowType } from '../types/sql-type.ts'
import { argAt, define, type Table } from './define.ts'

function common(call: Call, coerce: typeof comparisonType): ArrowType {
  const types = call.args.map((arg) => arg.type)
  const known = types.filter(({ kind }) => kind !== 'Null')
  const type = commonOf(known.length > 0 ? known : types, coerce)
  if (type === undefined) {
    throw planError(
      `Failed to coerce arguments to satisfy a call to '${call.name}' function: coercion from ${types.map(typeName).join(', ')} to a common type failed`,
      call.place,
    )
  }
  return type
}

export function conditionalFunctions(table: Table<ScalarFunction>): void {
  define(table, 'coalesce', (call) => {
    countArgs(call, 1, Number.POSITIVE_INFINITY)
    const type = common(call, comparisonType)
    const args = call.args.map((arg) => cast(arg, type).sql)
    return { sql: `coalesce(${args.join(', ')})`, type, nullable: call.args.every((arg) => arg.nullable) }
  })
  define(table, 'nullif', (call) => {
    countArgs(call, 2)
    const type = common(call, comparisonType)
    return { sql: `nullif(${cast(argAt(call, 0), type).sql}, ${cast(argAt(call, 1), type).sql})`, type }
  })
  define(table, 'nvl ifnull', (call) => {
    countArgs(call, 2)
    const type = fixedType(call)
    const args = call.args.map((arg) => cast(arg, type).sql)
    return { sql: `coalesce(${args.join(', ')})`, type, nullable: call.args.every((arg) => arg.nullable) }
  })
  define(table, 'nvl2', (call) => {
    countArgs(call, 3)
    const type = commonOf([call.args[1]!.type, call.args[2]!.type], unionType)
    if (type === undefined) throw planError("'nvl2' takes values of a common type", call.place)
    const [test, yes, no] = call.args
    return {
      sql: `CASE WHEN ${test!.sql} IS NOT NULL THEN ${cast(yes!, type).sql} ELSE ${cast(no!, type).sql} END`,
      type,
      nullable: yes!.nullable || no!.nullable,
    }
  })
  for (const name of ['greatest', 'least']) {
    define(table, name, (call) => {
      countArgs(call, 1, Number.POSITIVE_INFINITY)
      const type = common(call, comparisonType)
      return { sql: `${name}(${call.args.map((arg) => cast(arg, type).sql).join(', ')})`, type }
    })
  }
  inspection(table)
}

/** A fixed list of types: texts of one kind stay, other texts are views, as are texts with numbers. */
function fixedType(call: Call): ArrowType {
  const [a, b] = call.args.map((arg) => arg.type) as [ArrowType, ArrowType]
  if (a.kind === b.kind && (isString(a) || a.kind === 'Null')) return a.kind === 'Null' ? BOOLEAN : a
  if (isString(plain(a)) || isString(plain(b))) {
    if (a.kind === 'LargeUtf8' || b.kind === 'LargeUtf8') return LARGE_UTF8
    return UTF8_VIEW
  }
  return common(call, comparisonType)
}

/** Types and what there is to say about them. */
function inspection(table: Table<ScalarFunction>): void {
  define(table, 'arrow_typeof', (call) => {
    countArgs(call, 1)
    const text = typeName(argAt(call, 0).type)
    return { sql: quote(text), type: UTF8 }
  })
  for (const name of ['arrow_cast', 'arrow_try_cast']) {
    define(table, name, (call) => {
      countArgs(call, 2)
      const target = literalOf(call, 1)
      if (typeof target !== 'string') {
        throw planError(`${name} requires its second argument to be a non-empty constant string`, call.place)
      }
      const type = parseArrowType(target)
      const converted = cast(argAt(call, 0), type, name === 'arrow_try_cast')
      return { sql: converted.sql, type, nullable: converted.nullable, constant: converted.constant }
    })
  }
  for (const name of ['cast_to_type', 'try_cast_to_type']) {
    define(table, name, (call) => {
      countArgs(call, 2)
      const type = argAt(call, 1).type
      const converted = cast(argAt(call, 0), type, name.startsWith('try'))
      return { sql: converted.sql, type, nullable: converted.nullable }
    })
  }
  define(table, 'arrow_field', (call) => {
    countArgs(call, 1)
    const { name, type, nullable } = argAt(call, 0)
    const field = structOf([
      { name: 'name', type: UTF8, nullable: false },
      { name: 'data_type', type: UTF8, nullable: false },
      { name: 'nullable', type: BOOLEAN, nullable: false },
      { name: 'metadata', type: { kind: 'Map', key: UTF8, value: UTF8 }, nullable: false },
    ])
    const sql = `struct_pack(f0 := ${quote(name)}, f1 := ${quote(typeName(type))}, f2 := ${nullable}, f3 := CAST(MAP {} AS ${duckType({ kind: 'Map', key: UTF8, value: UTF8 })}))`
    return { sql, type: field }
  })
  define(table, 'arrow_metadata', (call) => {
    countArgs(call, 1, 2)
    if (call.args.length === 2) return { sql: 'CAST(NULL AS VARCHAR)', type: UTF8 }
    return { sql: 'CAST(MAP {} AS MAP(VARCHAR, VARCHAR))', type: { kind: 'Map', key: UTF8, value: UTF8 } }
  })
  define(table, 'with_metadata', (call) => {
    countArgs(call, 3, Number.POSITIVE_INFINITY)
    const { sql, type, nullable } = argAt(call, 0)
    return { sql, type, nullable }
  })
  define(table, 'version', (call) => {
    countArgs(call, 0)
    return { sql: quote('Apache DataFusion 55.2.0, dialect of micromegas-server'), type: UTF8 }
  })
  define(table, 'input_file_name', (call) => {
    countArgs(call, 0)
    return { sql: 'CAST(NULL AS VARCHAR)', type: UTF8 }
  })
  define(table, 'file_row_index', (call) => {
    countArgs(call, 0)
    return { sql: 'CAST(NULL AS BIGINT)', type: { kind: 'Int64' } }
  })
}
