import type { AggregateAnswer, AggregateCall, AggregateFunction } from '../../plan/expression/call.ts'
import type { Table } from '../define.ts'

export type AggregateTable = Table<AggregateFunction>

/** Registers an aggregate under its own name and others. */
export function aggregate(
  table: AggregateTable,
  names: string,
  bind: (call: AggregateCall) => AggregateAnswer,
): void {
  const [name = '', ...others] = names.split(' ')
  for (const each of [name, ...others]) table.set(each, { name, bind })
}
