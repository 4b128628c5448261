import {
  type Call,
  countArgs,
  literalOf,
  type ScalarFunction,
  wrongType,
} from '../../plan/expression/call.ts'
import { cast } from '../../plan/expression/cast.ts'
import { planError } from '../../sql-error.ts'
import { type ArrowType, type Field, listOf, structOf, typeName } from '../../types/arrow-type.ts'
import { argAt, define, type Table } from '../define.ts'

function pack(
  call: Call,
  names: readonly string[],
  values: readonly number[],
): { sql: string; type: ArrowType; nullable: boolean } {
  const fields: Field[] = names.map((name, i) => {
    const { type, nullable } = argAt(call, values[i]!)
    return { name, type, nullable: nullable || true }
  })
  const members = values.map((index, i) => `f${i} := ${argAt(call, index).sql}`)
  return { sql: `struct_pack(${members.join(', ')})`, type: structOf(fields), nullable: false }
}

export function structFunctions(table: Table<ScalarFunction>): void {
  define(table, 'struct row', (call) => {
    countArgs(call, 1, Number.POSITIVE_INFINITY)
    return pack(
      call,
      call.args.map((_, i) => `c${i}`),
      call.args.map((_, i) => i),
    )
  })
  define(table, 'named_struct', (call) => {
    if (call.args.length === 0 || call.args.length % 2 === 1) {
      throw planError(
        `named_struct requires an even number of arguments, got ${call.args.length}`,
        call.place,
      )
    }
    const names: string[] = []
    for (let i = 0; i < call.args.length; i += 2) {
      const name = literalOf(call, i)
      if (typeof name !== 'string' || name === '') {
        throw planError(
          `named_struct requires ${i}-th (0-indexed) field name as non-empty constant string`,
          call.place,
        )
      }
      if (names.includes(name)) throw planError(`Duplicate field name '${name}'`, call.place)
      names.push(name)
    }
    return pack(
      call,
      names,
      names.map((_, i) => i * 2 + 1),
    )
  })
  define(table, 'get_field', (call) => {
    countArgs(call, 2, 100)
    let { sql, type } = argAt(call, 0)
    let shown = argAt(call, 0).name
    for (let i = 1; i < call.args.length; i++) {
      const key = argAt(call, i)
      const found = fieldOf(call, sql, type, i)
      shown = `${shown}[${typeof key.constant?.value === 'string' ? key.constant.value : key.name}]`
      sql = found.sql
      type = found.type
    }
    return { sql, type, shown }
  })
  maps(table)
  unions(table)
}

function fieldOf(call: Call, sql: string, type: ArrowType, index: number): { sql: string; type: ArrowType } {
  const key = literalOf(call, index)
  if (type.kind === 'Struct') {
    if (typeof key !== 'string')
      throw planError('Struct based indexed access requires a non empty string', call.place)
    const at = type.fields.findIndex(({ name }) => name === key)
    if (at < 0) throw planError(`Field ${key} not found in struct`, call.place)
    return { sql: `(${sql}).f${at}`, type: type.fields[at]!.type }
  }
  if (type.kind === 'Map')
    return { sql: `(${sql})[${cast(argAt(call, index), type.key).sql}]`, type: type.value }
  throw planError(
    `The expression to get an indexed field is only valid for \`Struct\`, \`Map\` or \`Null\` types, got ${typeName(type)}.`,
    call.place,
  )
}

function mapArg(call: Call, index: number): { sql: string; key: ArrowType; value: ArrowType } {
  const { sql, type } = argAt(call, index)
  if (type.kind !== 'Map') throw wrongType(call, 'a map', typeName(type))
  return { sql, key: type.key, value: type.value }
}

function maps(table: Table<ScalarFunction>): void {
  define(table, 'map', (call) => {
    countArgs(call, 2)
    const [keys, values] = [argAt(call, 0), argAt(call, 1)]
    if (keys.type.kind !== 'List' || values.type.kind !== 'List')
      throw wrongType(call, 'two lists', typeName(keys.type))
    return {
      sql: `map(${keys.sql}, ${values.sql})`,
      type: { kind: 'Map', key: keys.type.item.type, value: values.type.item.type },
    }
  })
  define(table, 'map_keys', (call) => {
    countArgs(call, 1)
    const { sql, key } = mapArg(call, 0)
    return { sql: `map_keys(${sql})`, type: listOf(key) }
  })
  define(table, 'map_values', (call) => {
    countArgs(call, 1)
    const { sql, value } = mapArg(call, 0)
    return { sql: `map_values(${sql})`, type: listOf(value) }
  })
  define(table, 'map_entries', (call) => {
    countArgs(call, 1)
    const { sql, key, value } = mapArg(call, 0)
    const entry = structOf([
      { name: 'key', type: key, nullable: false },
      { name: 'value', type: value, nullable: true },
    ])
    return {
      sql: `list_transform(map_entries(${sql}), lambda e: struct_pack(f0 := e.key, f1 := e.value))`,
      type: listOf(entry, false),
    }
  })
  define(table, 'map_extract element_at', (call) => {
    countArgs(call, 2)
    const { sql, key, value } = mapArg(call, 0)
    return { sql: `mm_map_extract(${sql}, ${cast(argAt(call, 1), key).sql})`, type: listOf(value) }
  })
}

/** Arrow's unions: nothing here makes one, so that these only have errors to give. */
function unions(table: Table<ScalarFunction>): void {
  for (const name of ['union_extract', 'union_tag']) {
    define(table, name, (call) => {
      countArgs(call, name === 'union_tag' ? 1 : 2)
      throw planError(
        `${name} only support unions as first argument, got ${typeName(argAt(call, 0).type)} instead`,
        call.place,
      )
    })
  }
}
