import type { QueryOptions } from '../../query/client-options.ts'
import type { FlightSQLClient } from '../../query/flight-sql-client.ts'
import { UsageError } from '../usage-error.ts'
import { makeWriter, parseFormat } from './formats.ts'
import { DataOutput, wantsColor } from './terminal.ts'

/** Options of commands that show rows. */
export interface OutputFlags {
  readonly format: string
  readonly maxColwidth?: string | undefined
  /** `undefined`: as the environment and the terminal say. */
  readonly color?: boolean | undefined
}

/** Runs a query and prints its rows as they come. */
export async function printQuery(
  client: FlightSQLClient,
  sql: string,
  options: QueryOptions,
  flags: OutputFlags,
): Promise<void> {
  const format = parseFormat(flags.format)
  const maxColumnWidth = parseWidth(flags.maxColwidth)
  const output = new DataOutput()
  if (format === 'arrow') {
    if (output.isTerminal) throw new UsageError('Cannot show --format arrow on a terminal: send it to a file')
    for await (const bytes of client.queryIpc(sql, options)) await output.write(bytes)
    return
  }
  const { isTerminal, columns } = output
  const isColored = wantsColor(process.stdout, flags.color, process.env)
  const writer = makeWriter({ format, isTerminal, isColored, columns, maxColumnWidth })
  await using stream = client.queryStream(sql, options)
  await output.write(writer.begin(await stream.schema))
  for await (const batch of stream) await output.write(writer.batch(batch))
  await output.write(writer.end())
}

function parseWidth(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new UsageError(`Cannot use --max-colwidth ${text}: expected a whole number, 0 for no limit`)
}
