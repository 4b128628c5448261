import { readFile } from 'node:fs/promises'
import { type ConnectionFlags, withClient } from '../connect.ts'
import { type OutputFlags, printQuery } from '../output/print-result.ts'
import { UsageError } from '../usage-error.ts'

export interface QueryFlags extends ConnectionFlags, OutputFlags {
  readonly file?: string | undefined
  readonly begin?: string | undefined
  readonly end?: string | undefined
  readonly all?: boolean | undefined
  readonly limit?: string | undefined
}

/** Any SQL: an argument, a file, or the standard input. */
export async function query(text: string | undefined, flags: QueryFlags): Promise<void> {
  if (flags.all && (flags.begin !== undefined || flags.end !== undefined)) {
    throw new UsageError('Cannot use --all with --begin or --end: --all means no time range')
  }
  if (flags.end !== undefined && flags.begin === undefined) {
    throw new UsageError('Cannot use --end without --begin')
  }
  const statement = await readStatement(text, flags.file)
  const range = flags.begin === undefined ? {} : { begin: flags.begin, end: flags.end }
  await withClient(flags, 'cli-query', (client) => printQuery(client, statement, range, flags))
}

async function readStatement(text: string | undefined, file: string | undefined): Promise<string> {
  if (text !== undefined && file !== undefined && text !== '-') {
    throw new UsageError('Cannot run SQL from an argument and from --file: give one of them')
  }
  const source = file ?? (text === '-' ? '-' : undefined)
  const statement = source === undefined ? text : source === '-' ? await readInput() : await readText(source)
  if (!statement?.trim()) {
    throw new UsageError(
      'There is no SQL: give it as an argument, by --file FILE, or - for the standard input',
    )
  }
  return statement
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`)
  }
}
