import { type Answer, type Call, type ScalarFunction, wrongType } from '../../plan/expression/call.ts'
import { cast } from '../../plan/expression/cast.ts'
import { planError } from '../../sql-error.ts'
import { type ArrowType, FLOAT64, isNumeric, listOf, plain, typeName } from '../../types/arrow-type.ts'
import { commonOf, comparisonType } from '../../types/coercion.ts'
import { argAt, define, type Table } from '../define.ts'

/** A list and the type of what is in it. */
export interface ListArg {
  readonly sql: string
  readonly item: ArrowType
}

export function listArg(call: Call, index: number): ListArg {
  const arg = argAt(call, index)
  if (arg.type.kind === 'Null') return { sql: 'CAST(NULL AS INTEGER[])', item: { kind: 'Null' } }
  if (arg.type.kind !== 'List') throw wrongType(call, 'a list', typeName(arg.type))
  return { sql: arg.sql, item: arg.type.item.type }
}

/** A list and a value, in a type that both have. */
export function withItem(call: Call, list: number, item: number): ListArg & { value: string } {
  const a = listArg(call, list)
  const b = argAt(call, item)
  const type = a.item.kind === 'Null' ? b.type : comparisonType(a.item, b.type)
  if (type === undefined) {
    throw planError(
      `Failed to coerce arguments to satisfy a call to '${call.name}' function: ${typeName(a.item)} and ${typeName(b.type)} have no common type`,
      call.place,
    )
  }
  const cast1 = cast(argAt(call, list), listOf(type)).sql
  return { sql: cast1, item: type, value: cast(b, type).sql }
}

export function sameLists(call: Call, from = 0): { sqls: string[]; item: ArrowType } {
  const items = call.args.slice(from).map((_, i) => listArg(call, i + from).item)
  const item = commonOf(items, comparisonType)
  if (item === undefined) throw planError(`'${call.name}' takes lists of a common type`, call.place)
  return { sqls: call.args.slice(from).map((arg) => cast(arg, listOf(item)).sql), item }
}

export function floatList(call: Call, index: number): string {
  const { item } = listArg(call, index)
  if (!isNumeric(plain(item)) && item.kind !== 'Null')
    throw wrongType(call, 'a list of numbers', typeName(item))
  return cast(argAt(call, index), listOf(FLOAT64)).sql
}

export type ListReader = (call: Call) => Answer

/** Under `array_` and `list_` both. */
export function both(table: Table<ScalarFunction>, names: string, bind: ListReader): void {
  const all = names.split(' ').flatMap((name) => [`array_${name}`, `list_${name}`])
  define(table, all.join(' '), bind)
}
