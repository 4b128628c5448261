import { type Call, countArgs, type ScalarFunction, wrongType } from '../../plan/expression/call.ts'
import { cast } from '../../plan/expression/cast.ts'
import type { Expr } from '../../plan/expression/expr.ts'
import { planError } from '../../sql-error.ts'
import {
  type ArrowType,
  BOOLEAN,
  INT64,
  isInteger,
  listOf,
  plain,
  structOf,
  typeName,
  UINT64,
  UTF8,
} from '../../types/arrow-type.ts'
import { commonOf, comparisonType } from '../../types/coercion.ts'
import { argAt, define, integerArg, type Table, textArg } from '../define.ts'

import { both, listArg, sameLists, withItem } from './list-arguments.ts'
import { calculating } from './list-math.ts'

export function listFunctions(table: Table<ScalarFunction>): void {
  making(table)
  reading(table)
  changing(table)
  calculating(table)
}

function making(table: Table<ScalarFunction>): void {
  define(table, 'make_array make_list', (call) => {
    const item =
      call.args.length === 0
        ? INT64
        : commonOf(
            call.args.map((arg) => arg.type),
            comparisonType,
          )
    if (item === undefined) throw planError('A list takes values of a common type', call.place)
    if (call.args.length === 0) return { sql: 'CAST([] AS BIGINT[])', type: listOf(INT64), nullable: false }
    const sql = `[${call.args.map((arg) => cast(arg, item).sql).join(', ')}]`
    return { sql, type: listOf(item), nullable: false }
  })
  for (const name of ['range', 'generate_series']) {
    define(table, name, (call) => series(call, name === 'generate_series'))
  }
  both(table, 'repeat', (call) => {
    countArgs(call, 2)
    const { sql, type } = argAt(call, 0)
    return {
      sql: `list_transform(range(greatest(${integerArg(call, 1).sql}, 0)), lambda i: ${sql})`,
      type: listOf(type),
    }
  })
  define(table, 'arrays_zip list_zip', (call) => {
    countArgs(call, 1, Number.POSITIVE_INFINITY)
    const lists = call.args.map((_, i) => listArg(call, i))
    const type = listOf(
      structOf(lists.map(({ item }, i) => ({ name: `${i + 1}`, type: item, nullable: true }))),
    )
    const members = lists.map((_, i) => `f${i} := e[${i + 1}]`)
    return {
      sql: `list_transform(list_zip(${lists.map(({ sql }) => sql).join(', ')}), lambda e: struct_pack(${members.join(', ')}))`,
      type,
    }
  })
  define(table, 'flatten', (call) => {
    countArgs(call, 1)
    const { sql, item } = listArg(call, 0)
    return item.kind === 'List' ? { sql: `flatten(${sql})`, type: item } : { sql, type: listOf(item) }
  })
  define(table, 'unnest', (call) => {
    countArgs(call, 1)
    const { sql, item } = listArg(call, 0)
    return { sql: `unnest(${sql})`, type: item, unnests: true, shown: `UNNEST(${argAt(call, 0).name})` }
  })
}

function series(call: Call, inclusive: boolean): { sql: string; type: ArrowType } {
  countArgs(call, 1, 3)
  const [first] = call.args
  const type = plain(first!.type)
  const name = inclusive ? 'generate_series' : 'range'
  if (isInteger(type) || type.kind === 'Null') {
    return {
      sql: `${name}(${call.args.map((_, i) => integerArg(call, i).sql).join(', ')})`,
      type: listOf(INT64),
    }
  }
  countArgs(call, 3)
  const step = cast(argAt(call, 2), { kind: 'Interval' }).sql
  if (type.kind === 'Timestamp' || type.kind === 'Date32') {
    const ns = (index: number): string =>
      cast(argAt(call, index), { kind: 'Timestamp', unit: 'ns', tz: undefined }).sql
    const list = `mm_time_series(${ns(0)}, ${ns(1)}, ${step}, ${inclusive})`
    const item: Expr = {
      sql: 'e',
      type: { kind: 'Timestamp', unit: 'ns', tz: undefined },
      nullable: false,
      name: '',
    }
    const target = type.kind === 'Timestamp' ? type : type
    return { sql: `list_transform(${list}, lambda e: ${cast(item, target).sql})`, type: listOf(target) }
  }
  throw wrongType(call, 'integers, dates or timestamps', typeName(first!.type))
}

function reading(table: Table<ScalarFunction>): void {
  both(table, 'length', (call) => {
    countArgs(call, 1, 2)
    return { sql: `CAST(nullif(len(${listArg(call, 0).sql}), -1) AS UBIGINT)`, type: UINT64 }
  })
  define(table, 'cardinality', (call) => {
    countArgs(call, 1)
    const { type, sql } = argAt(call, 0)
    if (type.kind === 'Map') return { sql: `CAST(cardinality(${sql}) AS UBIGINT)`, type: UINT64 }
    const depth = depthOf(type)
    const flat = Array.from({ length: depth - 1 }).reduce<string>(
      (inner) => `flatten(${inner})`,
      listArg(call, 0).sql,
    )
    return { sql: `CAST(len(${flat}) AS UBIGINT)`, type: UINT64 }
  })
  define(table, 'empty array_empty list_empty', (call) => {
    countArgs(call, 1)
    return { sql: `(len(${listArg(call, 0).sql}) = 0)`, type: BOOLEAN }
  })
  both(table, 'ndims', (call) => {
    countArgs(call, 1)
    const { sql } = listArg(call, 0)
    return {
      sql: `CASE WHEN ${sql} IS NOT NULL THEN ${depthOf(argAt(call, 0).type)}::UBIGINT END`,
      type: UINT64,
    }
  })
  both(table, 'dims', (call) => {
    countArgs(call, 1)
    const { sql } = listArg(call, 0)
    const sizes: string[] = []
    let level = sql
    for (let i = depthOf(argAt(call, 0).type); i > 0; i--) {
      sizes.push(`CAST(len(${level}) AS UBIGINT)`)
      level = `(${level})[1]`
    }
    return { sql: `CASE WHEN ${sql} IS NOT NULL THEN [${sizes.join(', ')}] END`, type: listOf(UINT64) }
  })
  define(table, 'array_element array_extract list_element list_extract', (call) => {
    countArgs(call, 2)
    const { sql, item } = listArg(call, 0)
    const index = integerArg(call, 1).sql
    return { sql: `CASE WHEN ${index} <> 0 THEN (${sql})[${index}] END`, type: item }
  })
  both(table, 'slice', (call) => {
    countArgs(call, 3, 4)
    const { sql, item } = listArg(call, 0)
    const [from, to] = [integerArg(call, 1).sql, integerArg(call, 2).sql]
    const step = call.args[3] ? `, ${integerArg(call, 3).sql}` : ''
    const [list, ...bounds] = call.args.map((arg) => arg.name)
    return {
      sql: `list_slice(${sql}, ${from}, ${to}${step})`,
      type: listOf(item),
      shown: `${list}[${bounds.join(':')}]`,
    }
  })
  both(table, 'has contains', (call) => {
    countArgs(call, 2)
    const { sql, value } = withItem(call, 0, 1)
    return { sql: `CASE WHEN ${value} IS NOT NULL THEN list_contains(${sql}, ${value}) END`, type: BOOLEAN }
  })
  both(table, 'has_all', (call) => {
    countArgs(call, 2)
    const { sqls } = sameLists(call)
    return { sql: `list_has_all(${sqls.join(', ')})`, type: BOOLEAN }
  })
  define(table, 'array_has_any list_has_any arrays_overlap', (call) => {
    countArgs(call, 2)
    const { sqls } = sameLists(call)
    return { sql: `list_has_any(${sqls.join(', ')})`, type: BOOLEAN }
  })
  both(table, 'position indexof', (call) => {
    countArgs(call, 2, 3)
    const { sql, value } = withItem(call, 0, 1)
    const from = call.args[2] ? integerArg(call, 2).sql : '1'
    return { sql: `mm_list_position(${sql}, ${value}, ${from})`, type: UINT64 }
  })
  both(table, 'positions', (call) => {
    countArgs(call, 2)
    const { sql, value } = withItem(call, 0, 1)
    return { sql: `mm_list_positions(${sql}, ${value})`, type: listOf(UINT64) }
  })
  both(table, 'any_value', (call) => {
    countArgs(call, 1)
    const { sql, item } = listArg(call, 0)
    return { sql: `(list_filter(${sql}, lambda e: e IS NOT NULL))[1]`, type: item }
  })
  both(table, 'to_string join', (call) => {
    countArgs(call, 2, 3)
    const { item } = listArg(call, 0)
    const flat = flattened(argAt(call, 0))
    const text = cast({ sql: 'e', type: leaf(item), nullable: true, name: '' }, UTF8).sql
    const values = call.args[2]
      ? `list_transform(${flat}, lambda e: coalesce(${text}, ${textArg(call, 2).sql}))`
      : `list_transform(list_filter(${flat}, lambda e: e IS NOT NULL), lambda e: ${text})`
    return { sql: `mm_list_join(${values}, ${textArg(call, 1).sql})`, type: UTF8 }
  })
}

function depthOf(type: ArrowType): number {
  return type.kind === 'List' ? 1 + depthOf(type.item.type) : 0
}

function leaf(type: ArrowType): ArrowType {
  return type.kind === 'List' ? leaf(type.item.type) : type
}

function flattened(expr: Expr): string {
  let sql = expr.sql
  for (let i = depthOf(expr.type); i > 1; i--) sql = `flatten(${sql})`
  return sql
}

function changing(table: Table<ScalarFunction>): void {
  both(table, 'append push_back', (call) => {
    countArgs(call, 2)
    const { sql, item, value } = withItem(call, 0, 1)
    return { sql: `list_append(coalesce(${sql}, []), ${value})`, type: listOf(item) }
  })
  both(table, 'prepend push_front', (call) => {
    countArgs(call, 2)
    const { sql, item, value } = withItem(call, 1, 0)
    return { sql: `list_prepend(${value}, coalesce(${sql}, []))`, type: listOf(item) }
  })
  both(table, 'concat cat', (call) => {
    countArgs(call, 1, Number.POSITIVE_INFINITY)
    const { sqls, item } = sameLists(call)
    return { sql: `list_concat(${sqls.map((sql) => `coalesce(${sql}, [])`).join(', ')})`, type: listOf(item) }
  })
  const simple: readonly (readonly [string, string])[] = [
    ['distinct', 'mm_list_distinct($)'],
    ['reverse', 'list_reverse($)'],
    ['pop_back', 'list_slice($, 1, greatest(len($) - 1, 0))'],
    ['pop_front', 'list_slice($, 2, len($))'],
    ['compact', 'list_filter($, lambda e: e IS NOT NULL)'],
  ]
  for (const [name, duck] of simple) {
    both(table, name, (call) => {
      countArgs(call, 1)
      const { sql, item } = listArg(call, 0)
      return { sql: duck.replaceAll('$', sql), type: listOf(item) }
    })
  }
  both(table, 'sort', (call) => {
    countArgs(call, 1, 3)
    const { sql, item } = listArg(call, 0)
    const order = call.args[1] ? textArg(call, 1).sql : "'ASC'"
    const nulls = call.args[2] ? textArg(call, 2).sql : "'NULLS FIRST'"
    return { sql: `list_sort(${sql}, upper(${order}), upper(${nulls}))`, type: listOf(item) }
  })
  both(table, 'resize', (call) => {
    countArgs(call, 2, 3)
    const { sql, item } = listArg(call, 0)
    const filler = call.args[2]
    const type = filler ? (comparisonType(item, filler.type) ?? item) : item
    const value = filler ? `, ${cast(filler, type).sql}` : ''
    return {
      sql: `list_resize(${cast(argAt(call, 0), listOf(type)).sql ?? sql}, ${integerArg(call, 1).sql}${value})`,
      type: listOf(type),
    }
  })
  both(table, 'remove', (call) => removal(call, '1'))
  both(table, 'remove_n', (call) => removal(call, integerArg(call, 2).sql))
  both(table, 'remove_all', (call) => removal(call, undefined))
  both(table, 'replace', (call) => replacing(call, '1'))
  both(table, 'replace_n', (call) => replacing(call, integerArg(call, 3).sql))
  both(table, 'replace_all', (call) => replacing(call, undefined))
  const sets: readonly (readonly [string, string])[] = [
    ['union', 'mm_list_distinct(list_concat(coalesce($1, []), coalesce($2, [])))'],
    ['intersect', 'list_filter(mm_list_distinct($1), lambda e: list_contains($2, e))'],
    ['except', 'list_filter(mm_list_distinct($1), lambda e: NOT list_contains($2, e))'],
  ]
  for (const [name, duck] of sets) {
    both(table, name, (call) => {
      countArgs(call, 2)
      const { sqls, item } = sameLists(call)
      return {
        sql: duck.replaceAll('$1', () => sqls[0]!).replaceAll('$2', () => sqls[1]!),
        type: listOf(item),
      }
    })
  }
}

function removal(call: Call, count: string | undefined): { sql: string; type: ArrowType } {
  countArgs(call, 2, 3)
  const { sql, item, value } = withItem(call, 0, 1)
  return { sql: `mm_list_remove(${sql}, ${value}, ${count ?? `len(${sql})`})`, type: listOf(item) }
}

function replacing(call: Call, count: string | undefined): { sql: string; type: ArrowType } {
  countArgs(call, 3, 4)
  const { sql, item, value } = withItem(call, 0, 1)
  const to = cast(argAt(call, 2), item).sql
  return { sql: `mm_list_replace(${sql}, ${value}, ${to}, ${count ?? `len(${sql})`})`, type: listOf(item) }
}
