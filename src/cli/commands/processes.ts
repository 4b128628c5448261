import { rawSql, sql } from '../../query/sql.ts'
import { contains, count, where } from '../arguments.ts'
import { type ConnectionFlags, withClient } from '../connect.ts'
import { type OutputFlags, printQuery } from '../output/print-result.ts'

export interface ProcessesFlags extends ConnectionFlags, OutputFlags {
  readonly since: string
  readonly limit: string
  readonly username?: string | undefined
  readonly exe?: string | undefined
  readonly computer?: string | undefined
}

/** The newest processes that were alive in a time, oldest first. */
export async function processes(flags: ProcessesFlags): Promise<void> {
  const { username, exe, computer } = flags
  const conditions = where(
    [
      username && contains('username', username),
      exe && contains('exe', exe),
      computer && contains('computer', computer),
    ].map((condition) => condition || undefined),
  )
  const columns = rawSql('process_id, exe, start_time, username, computer, distro, cpu_brand')
  const newest = sql`SELECT ${columns} FROM processes ${conditions} ORDER BY start_time DESC LIMIT ${count('--limit', flags.limit)}`
  const statement = sql`SELECT * FROM (${rawSql(newest)}) ORDER BY start_time`
  await withClient(flags, 'cli-processes', (client) =>
    printQuery(client, statement, { begin: flags.since }, flags),
  )
}
