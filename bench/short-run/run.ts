/**
 * Processor time of a whole short run, from a cold start to the last answer, beside OpenTelemetry's SDK, and pino to a null
 * device: `npm run bench:short-run -- [--rounds 5] [--node PATH] [--json FILE]`. Needs the build in dist.
 */
import { DiscardingServer } from '../pipeline/discarding-server.ts'
import { numberOption, printTitle, readCommand, writeResult } from '../support/command.ts'
import { formatLines, type Line } from '../support/line.ts'
import { runMeasured } from '../support/measured-process.ts'
import { median } from '../support/statistics.ts'

const LOGS = 300_000
const SPANS = 150_000
const command = readCommand({ rounds: 'string' })
const rounds = numberOption(command, 'rounds', 5)
const { node } = command
const formattedLogs = `${LOGS.toLocaleString('en')} formatted logs`
const asyncSpans = `${SPANS.toLocaleString('en')} async spans`
const machine = printTitle(`Short runs: ${formattedLogs}, ${asyncSpans}`, node)
await using server = await DiscardingServer.start(node)

/** Milliseconds. */
async function cpuOf(program: string, what: 'logs' | 'spans'): Promise<number> {
  const script = `short-run/${program}.mjs`
  const args = [what, server.url, String(what === 'logs' ? LOGS : SPANS)]
  const { cpuMs } = await runMeasured<{ cpuMs: number }>({ script, args, node })
  return cpuMs
}

const runs: Record<'logs' | 'logsOf' | 'logsPino' | 'spans' | 'spansOf', number>[] = []
for (let round = 0; round < rounds; round++) {
  runs.push({
    logs: await cpuOf('micromegas', 'logs'),
    logsOf: await cpuOf('opentelemetry', 'logs'),
    logsPino: await cpuOf('pino', 'logs'),
    spans: await cpuOf('micromegas', 'spans'),
    spansOf: await cpuOf('opentelemetry', 'spans'),
  })
}

const section = 'A whole short run'
const of = (figure: (run: (typeof runs)[number]) => number): number => median(runs.map(figure))
const lines: Line[] = [
  { section, label: `${formattedLogs}: micromegas`, figure: of(({ logs }) => logs), unit: 'ms cpu' },
  {
    section,
    label: `${formattedLogs}: OpenTelemetry, OTLP with gzip`,
    figure: of(({ logs, logsOf }) => logsOf / logs),
    unit: '× ours',
    goal: { atLeast: 8 },
  },
  {
    section,
    label: `${formattedLogs}: pino, to a null device`,
    figure: of(({ logs, logsPino }) => logsPino / logs),
    unit: '× ours',
  },
  { section, label: `${asyncSpans}: micromegas`, figure: of(({ spans }) => spans), unit: 'ms cpu' },
  {
    section,
    label: `${asyncSpans}: OpenTelemetry, OTLP with gzip`,
    figure: of(({ spans, spansOf }) => spansOf / spans),
    unit: '× ours',
    goal: { atLeast: 6 },
  },
]
console.log(formatLines(lines))
writeResult(command.json, { machine, lines, details: runs })
