import { ColumnBuffer } from '../../../tables/decode/column-buffer.ts'
import type { TableSource } from '../../plan/context.ts'
import { cast } from '../../plan/expression/cast.ts'
import { type Expr, isConstant } from '../../plan/expression/expr.ts'
import { type Place, planError } from '../../sql-error.ts'
import { type Field, INT64, TIME_UTC, TIMESTAMP_NS, UTF8 } from '../../types/arrow-type.ts'
import type { Preparations } from '../session-plan.ts'

/** A line of progress. */
export interface ProgressLine {
  /** Nanoseconds since the Unix epoch. */
  readonly timeNs: bigint
  readonly text: string
}

/** What an administrator may do to partitions. Each returns what it did, line by line. */
export interface AdminActions {
  retire(viewSet: string, instance: string, beginNs: bigint, endNs: bigint): Promise<ProgressLine[]>
  materialize(viewSet: string, beginNs: bigint, endNs: bigint, deltaSeconds: bigint): Promise<ProgressLine[]>
  regenerate(viewSet: string, beginNs: bigint, endNs: bigint, deltaSeconds: bigint): Promise<ProgressLine[]>
}

const LOG_FIELDS: readonly Field[] = [
  { name: 'time', type: TIME_UTC, nullable: false },
  { name: 'msg', type: UTF8, nullable: false },
]

/** A table function that only administrators have; `undefined` when there is none of that name. */
export function adminFunction(
  name: string,
  args: readonly Expr[],
  place: Place | undefined,
  admin: AdminActions,
  preparations: Preparations,
): TableSource | undefined {
  switch (name) {
    case 'retire_partitions': {
      const [viewSet, instance] = [
        text(args, 0, 'view_set_name', place),
        text(args, 1, 'view_instance_id', place),
      ]
      const [begin, end] = [time(args, 2, place), time(args, 3, place)]
      return progress(preparations, () => admin.retire(viewSet, instance, begin, end))
    }
    case 'materialize_partitions':
    case 'regenerate_partitions': {
      const viewSet = text(args, 0, 'view_set_name', place)
      const [begin, end] = [time(args, 1, place), time(args, 2, place)]
      const delta = whole(args, 3, place)
      const run = name === 'materialize_partitions' ? admin.materialize : admin.regenerate
      return progress(preparations, () => run.call(admin, viewSet, begin, end, delta))
    }
    default:
      return undefined
  }
}

const ORDINALS = ['first', '2nd', '3rd', '4th']

function missing(index: number, expected: string, place: Place | undefined): Error {
  return planError(`Missing ${ORDINALS[index]} argument, expected ${expected}`, place)
}

function text(args: readonly Expr[], index: number, what: string, place: Place | undefined): string {
  const value = args[index]?.constant?.value
  if (typeof value === 'string') return value
  throw missing(index, `${what}: String`, place)
}

function time(args: readonly Expr[], index: number, place: Place | undefined): bigint {
  const arg = args[index]
  const isTime = arg !== undefined && ['Utf8', 'Utf8View', 'Timestamp', 'Date32'].includes(arg.type.kind)
  const value = isTime && isConstant(arg) ? cast(arg, TIMESTAMP_NS).constant?.value : undefined
  if (typeof value === 'bigint') return value
  throw missing(index, 'a UTC nanoseconds timestamp', place)
}

function whole(args: readonly Expr[], index: number, place: Place | undefined): bigint {
  const arg = args[index]
  const value =
    arg && isConstant(arg) && arg.type.kind.includes('Int') ? cast(arg, INT64).constant?.value : undefined
  if (typeof value === 'bigint' && value > 0n) return value
  throw missing(index, 'a number of seconds(i64)', place)
}

/** The action runs when the query does, once, and its lines are the rows. */
function progress(preparations: Preparations, run: () => Promise<ProgressLine[]>): TableSource {
  const name = `progress_${preparations.steps.length}`
  return {
    fields: LOG_FIELDS,
    sql: () => {
      preparations.steps.push(async (connection) => {
        await connection.run(`CREATE TEMP TABLE ${name}(c0 BIGINT, c1 VARCHAR)`)
        const buffer = new ColumnBuffer(name, ['i64', 'text'])
        for (const line of await run()) buffer.push(line.timeNs, line.text)
        const { columns, rowCount } = buffer.take()
        if (rowCount > 0) await connection.append(name, columns, rowCount)
      })
      return `SELECT c0, c1 FROM ${name}`
    },
  }
}
