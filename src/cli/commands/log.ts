import { LEVEL_NAMES } from '../../model/level.ts'
import { rawSql, sql } from '../../query/sql.ts'
import { contains, count, level, processId, where } from '../arguments.ts'
import { type ConnectionFlags, withClient } from '../connect.ts'
import { type OutputFlags, printQuery } from '../output/print-result.ts'
import { UsageError } from '../usage-error.ts'

export interface LogFlags extends ConnectionFlags, OutputFlags {
  readonly first?: string | undefined
  readonly last?: string | undefined
  readonly target?: string | undefined
  readonly msg?: string | undefined
  readonly maxLevel?: string | undefined
}

const DEFAULT_ENTRIES = 1024
/** Levels by name where a person reads them, by number where a program does. */
const NAMED_LEVEL = `CASE level ${LEVEL_NAMES.map((name, i) => (i === 0 ? '' : `WHEN ${i} THEN '${name}'`)).join(' ')} END AS level`

/** The log of a process in order of time: its first or its last entries. */
export async function log(id: string, flags: LogFlags): Promise<void> {
  if (flags.first !== undefined && flags.last !== undefined) {
    throw new UsageError('Cannot show --first and --last entries at once: give one of them')
  }
  const limit =
    flags.first !== undefined
      ? count('--first', flags.first)
      : flags.last !== undefined
        ? count('--last', flags.last)
        : DEFAULT_ENTRIES
  const order = rawSql(flags.first !== undefined ? 'ASC' : 'DESC')
  const conditions = where([
    flags.target === undefined ? undefined : contains('target', flags.target),
    flags.msg === undefined ? undefined : contains('msg', flags.msg),
    flags.maxLevel === undefined ? undefined : sql`level <= ${level('--max-level', flags.maxLevel)}`,
  ])
  const levelColumn = flags.format === 'table' ? NAMED_LEVEL : 'level'
  const chosen = sql`SELECT time, level, target, msg, properties FROM view_instance('log_entries', ${processId(id)}) ${conditions} ORDER BY time ${order} LIMIT ${limit}`
  const statement = sql`SELECT time, ${rawSql(levelColumn)}, target, msg, properties FROM (${rawSql(chosen)}) ORDER BY time`
  await withClient(flags, 'cli-log', (client) => printQuery(client, statement, {}, flags))
}
