import { countArgs, type ScalarFunction } from '../../plan/expression/call.ts'
import { cast } from '../../plan/expression/cast.ts'
import { FLOAT64, listOf } from '../../types/arrow-type.ts'
import { argAt, define, type Table } from '../define.ts'

import { both, floatList, listArg } from './list-arguments.ts'

/** Functions that calculate with the numbers of lists. */
export function calculating(table: Table<ScalarFunction>): void {
  for (const name of ['max', 'min']) {
    both(table, name, (call) => {
      countArgs(call, 1)
      const { sql, item } = listArg(call, 0)
      return { sql: `list_${name}(${sql})`, type: item }
    })
  }
  for (const [name, duck] of [
    ['sum', 'list_sum($)'],
    ['avg', 'list_avg($)'],
    ['product', 'list_product($)'],
  ] as const) {
    both(table, name, (call) => {
      countArgs(call, 1)
      return { sql: duck.replace('$', floatList(call, 0)), type: FLOAT64 }
    })
  }
  define(table, 'array_distance list_distance', (call) => {
    countArgs(call, 2)
    return { sql: `list_distance(${floatList(call, 0)}, ${floatList(call, 1)})`, type: FLOAT64 }
  })
  define(table, 'cosine_distance', (call) => {
    countArgs(call, 2)
    return { sql: `list_cosine_distance(${floatList(call, 0)}, ${floatList(call, 1)})`, type: FLOAT64 }
  })
  define(table, 'inner_product dot_product', (call) => {
    countArgs(call, 2)
    return { sql: `list_inner_product(${floatList(call, 0)}, ${floatList(call, 1)})`, type: FLOAT64 }
  })
  for (const [name, op] of [
    ['add', '+'],
    ['subtract', '-'],
  ] as const) {
    both(table, name, (call) => {
      countArgs(call, 2)
      return {
        sql: `list_transform(list_zip(${floatList(call, 0)}, ${floatList(call, 1)}), lambda e: e[1] ${op} e[2])`,
        type: listOf(FLOAT64),
      }
    })
  }
  both(table, 'scale', (call) => {
    countArgs(call, 2)
    return {
      sql: `list_transform(${floatList(call, 0)}, lambda e: e * ${cast(argAt(call, 1), FLOAT64).sql})`,
      type: listOf(FLOAT64),
    }
  })
  both(table, 'normalize', (call) => {
    countArgs(call, 1)
    return { sql: `mm_list_normalize(${floatList(call, 0)})`, type: listOf(FLOAT64) }
  })
}
