import { processId } from '../arguments.ts'
import { type ConnectionFlags, withClient } from '../connect.ts'
import { Progress } from '../output/terminal.ts'
import { UsageError } from '../usage-error.ts'

export interface TraceFlags extends ConnectionFlags {
  readonly output?: string | undefined
  readonly begin?: string | undefined
  readonly end?: string | undefined
  readonly spans: string
  readonly logs: boolean
  readonly metrics: boolean
}

const SPANS = ['thread', 'async', 'both'] as const

/** Writes a trace of a process for Perfetto. */
export async function trace(id: string, flags: TraceFlags): Promise<void> {
  const spans = SPANS.find((name) => name === flags.spans)
  if (spans === undefined)
    throw new UsageError(`Cannot use --spans ${flags.spans}: expected ${SPANS.join(', ')}`)
  if (flags.end !== undefined && flags.begin === undefined)
    throw new UsageError('Cannot use --end without --begin')
  const process = processId(id)
  const file = flags.output ?? `${process}.perfetto`
  const progress = new Progress()
  const { bytes } = await withClient(flags, 'cli-trace', (client) =>
    client.writeProcessTrace(process, file, {
      spans,
      logs: flags.logs,
      metrics: flags.metrics,
      ...(flags.begin === undefined ? {} : { range: { begin: flags.begin, end: flags.end } }),
      onProgress: ({ bytes: written }) => progress.show(`${file}: ${Math.round(written / 1024)} KiB`),
    }),
  ).finally(() => progress.clear())
  globalThis.process.stderr.write(`Wrote ${file}, ${bytes} bytes; open it at https://ui.perfetto.dev\n`)
}
