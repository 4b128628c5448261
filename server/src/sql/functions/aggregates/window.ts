import { type AggregateCall, countArgs } from '../../plan/expression/call.ts'
import { cast } from '../../plan/expression/cast.ts'
import { planError } from '../../sql-error.ts'
import { FLOAT64, INT64, UINT64 } from '../../types/arrow-type.ts'
import { comparisonType } from '../../types/coercion.ts'
import { argAt } from '../define.ts'
import { type AggregateTable, aggregate } from './aggregate-table.ts'

/** Functions that only OVER gives a meaning to. */
export function windowFunctions(table: AggregateTable): void {
  for (const name of ['row_number', 'rank', 'dense_rank']) {
    aggregate(table, name, (call) => {
      countArgs(call, 0)
      return { sql: ({ after }) => `CAST(${name}()${after} AS UBIGINT)`, type: UINT64, nullable: false }
    })
  }
  for (const name of ['percent_rank', 'cume_dist']) {
    aggregate(table, name, (call) => {
      countArgs(call, 0)
      return { sql: ({ after }) => `${name}()${after}`, type: FLOAT64, nullable: false }
    })
  }
  aggregate(table, 'ntile', (call) => {
    countArgs(call, 1)
    const buckets = call.args[0]?.constant?.value
    if (typeof buckets !== 'bigint' || buckets <= 0n)
      throw planError('NTILE requires a positive integer', call.place)
    return { sql: ({ after }) => `CAST(ntile(${buckets})${after} AS UBIGINT)`, type: UINT64, nullable: false }
  })
  for (const name of ['lag', 'lead']) {
    aggregate(table, name, (call) => {
      countArgs(call, 1, 3)
      const value = argAt(call, 0)
      const offset = call.args[1] ? cast(argAt(call, 1), INT64).sql : '1'
      const other = call.args[2]
      const type = other ? (value.type.kind === 'Null' ? other.type : value.type) : value.type
      if (other && comparisonType(type, other.type) === undefined) {
        throw planError(`Cannot use the default of ${name} as a value of its type`, call.place)
      }
      const parts = [cast(value, type).sql, offset, ...(other ? [cast(other, type).sql] : [])]
      return { sql: ({ after }) => `${name}(${parts.join(', ')}${nulls(call)})${after}`, type }
    })
  }
  for (const name of ['first_value', 'last_value']) {
    aggregate(table, name, (call) => {
      countArgs(call, 1)
      const value = argAt(call, 0)
      return { sql: ({ after }) => `${name}(${value.sql}${nulls(call)})${after}`, type: value.type }
    })
  }
  aggregate(table, 'nth_value', (call) => {
    countArgs(call, 2)
    const value = argAt(call, 0)
    return {
      sql: ({ after }) => `nth_value(${value.sql}, ${cast(argAt(call, 1), INT64).sql}${nulls(call)})${after}`,
      type: value.type,
    }
  })
}

function nulls(call: AggregateCall): string {
  return call.ignoreNulls ? ' IGNORE NULLS' : ''
}
