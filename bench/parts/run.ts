/**
 * What each part of the pipeline takes, alone: `npm run bench:parts -- [--node PATH] [--json FILE]`. Needs the build in
 * dist.
 */
import { DiscardingServer } from '../pipeline/discarding-server.ts'
import { printTitle, readCommand, writeResult } from '../support/command.ts'
import { formatLines, type Line } from '../support/line.ts'
import { runMeasured } from '../support/measured-process.ts'

/** Nanoseconds of processor time per event, and sizes. */
interface Parts {
  readonly workload: string
  readonly record: number
  readonly freshMemory: number
  readonly compress: number
  readonly compressUnchecked: number
  readonly post: number
  readonly eventsPerBlock: number
  readonly bytesPerEvent: number
  readonly compressedBytesPerEvent: number
}

const command = readCommand()
const machine = printTitle('Processor time by part', command.node)
const lines: Line[] = []
const details: Parts[] = []
for (const workload of ['metrics', 'logs']) {
  await using server = await DiscardingServer.start(command.node)
  const parts = await runMeasured<Parts>({
    script: 'parts/measure.mjs',
    args: [server.url, workload],
    node: command.node,
  })
  details.push(parts)
  lines.push(...partLines(parts))
}
console.log(formatLines(lines))
writeResult(command.json, { machine, lines, details })

function partLines(parts: Parts): readonly Line[] {
  const line = (label: string, figure: number, unit: string): Line => ({
    section: 'Processor time by part',
    label: `${parts.workload}: ${label}`,
    figure,
    unit,
  })
  const ns = 'ns per event'
  return [
    line('recording and sealing, the memory of blocks included', parts.record, ns),
    line('of it the first use of fresh memory', parts.freshMemory, ns),
    line('LZ4 with a checksum, on the thread pool', parts.compress, ns),
    line('LZ4 without', parts.compressUnchecked, ns),
    line('the request', parts.post, ns),
    line('a block holds', parts.eventsPerBlock, 'events'),
    line('uncompressed', parts.bytesPerEvent, 'bytes per event'),
    line('compressed', parts.compressedBytesPerEvent, 'bytes per event'),
  ]
}
