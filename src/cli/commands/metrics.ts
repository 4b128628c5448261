import { rawSql, sql } from '../../query/sql.ts'
import { contains, count, processId, where } from '../arguments.ts'
import { type ConnectionFlags, withClient } from '../connect.ts'
import { type OutputFlags, printQuery } from '../output/print-result.ts'

export interface MetricsFlags extends ConnectionFlags, OutputFlags {
  readonly name?: string | undefined
  readonly target?: string | undefined
  readonly stats?: boolean | undefined
  readonly limit: string
}

/** The values of a process's metrics in order of time, or, with `--stats`, what they come to. */
export async function metrics(id: string, flags: MetricsFlags): Promise<void> {
  const source = sql`view_instance('measures', ${processId(id)})`
  const conditions = where([
    flags.name === undefined ? undefined : contains('name', flags.name),
    flags.target === undefined ? undefined : contains('target', flags.target),
  ])
  const limit = count('--limit', flags.limit)
  const statement = flags.stats
    ? sql`SELECT name, unit, count(*) AS count, min(value) AS min, avg(value) AS mean, median(value) AS median, max(value) AS max, sum(value) AS sum FROM ${rawSql(source)} ${conditions} GROUP BY name, unit ORDER BY name, unit LIMIT ${limit}`
    : sql`SELECT time, target, name, value, unit, properties FROM ${rawSql(source)} ${conditions} ORDER BY time LIMIT ${limit}`
  await withClient(flags, 'cli-metrics', (client) => printQuery(client, statement, {}, flags))
}
