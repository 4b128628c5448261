import { sql } from '../../query/sql.ts'
import { type ConnectionFlags, withClient } from '../connect.ts'
import { cellText } from '../output/cells.ts'
import { type OutputFlags, printQuery } from '../output/print-result.ts'
import { DataOutput } from '../output/terminal.ts'
import { UsageError } from '../usage-error.ts'

export interface PartitionsFlags extends ConnectionFlags, OutputFlags {
  readonly view?: string | undefined
}

/** The partitions that the server holds. */
export async function listPartitions(flags: PartitionsFlags): Promise<void> {
  const statement =
    flags.view === undefined
      ? 'SELECT * FROM list_partitions()'
      : sql`SELECT * FROM list_partitions() WHERE view_set_name = ${flags.view}`
  await withClient(flags, 'cli-partitions', (client) => printQuery(client, statement, {}, flags))
}

export interface PartitionWork extends ConnectionFlags {
  readonly begin: string
  readonly end: string
  readonly instance?: string | undefined
  /** Seconds of one partition. */
  readonly delta?: string | undefined
}

type Step = { readonly time?: unknown; readonly msg: string }

/** Runs administrative work and prints what the server says as it goes on. */
export async function workOnPartitions(
  work: 'retire' | 'materialize' | 'regenerate',
  view: string,
  flags: PartitionWork,
): Promise<void> {
  const output = new DataOutput()
  const delta = Number(flags.delta ?? 3600)
  if (!Number.isInteger(delta) || delta <= 0)
    throw new UsageError(`Cannot use --delta ${flags.delta}: expected seconds`)
  await withClient(flags, 'cli-partitions', async (client) => {
    const steps: AsyncIterable<Step> =
      work === 'retire'
        ? client.retirePartitions(view, flags.instance ?? 'global', flags.begin, flags.end)
        : work === 'materialize'
          ? client.materializePartitions(view, flags.begin, flags.end, delta)
          : client.regeneratePartitions(view, flags.begin, flags.end, delta)
    for await (const step of steps) await output.write(`${cellText(step.msg)}\n`)
  })
}
