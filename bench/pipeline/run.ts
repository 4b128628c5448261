/**
 * The whole pipeline to a server in another process: `npm run bench:pipeline -- [--seconds 10] [--pairs 3]
 * [--rate 100000] [--only throughput|load|idle] [--node PATH] [--json FILE]`. The figures of the documentation take
 * `--seconds 60`, and 600 for the memory under load. Needs the build in dist.
 */
import { numberOption, printTitle, readCommand, writeResult } from '../support/command.ts'
import { formatGoal, formatVerdict, type Goal } from '../support/goal.ts'
import { formatNumber, formatTable } from '../support/table.ts'
import { IDLE_RSS_GOAL, type IdleMemory, measureIdleMemory } from './idle-memory.ts'
import {
  DELAY_GOALS,
  measureSteadyLoad,
  RSS_GROWTH_GOAL,
  STEADY_RSS_GOAL,
  type SteadyLoad,
} from './steady-load.ts'
import { measureThroughput, THROUGHPUT_GOALS, type Throughput } from './throughput.ts'

/** Seconds after which a process that only waits has settled. */
const IDLE_SECONDS = 3
/** A trend over less than this is noise. */
const TREND_SECONDS = 300

const command = readCommand({ seconds: 'string', pairs: 'string', rate: 'string', only: 'string' })
const { node } = command
const { only } = command.values
const seconds = numberOption(command, 'seconds', 10)
const rate = numberOption(command, 'rate', 100_000)
const pairs = numberOption(command, 'pairs', 3)
const machine = printTitle(`The pipeline, ${seconds} s a run`, node)
const result: Record<string, unknown> = { machine, seconds }

if (only === undefined || only === 'throughput') {
  const throughput: Throughput[] = []
  for (const workload of ['metrics', 'logs', 'mixed']) {
    throughput.push(await measureThroughput(node, workload, seconds))
  }
  result.throughput = throughput
  console.log(`As fast as it goes, every event delivered\n${formatThroughput(throughput)}\n`)
}
if (only === undefined || only === 'load') {
  const load = await measureSteadyLoad(node, { rate, seconds, pairs })
  result.load = load
  console.log(
    `${rate.toLocaleString('en')} events/s, median of ${pairs} pairs of runs\n${formatLoad(load)}\n`,
  )
}
if (only === undefined || only === 'idle') {
  const idle = await measureIdleMemory(node, IDLE_SECONDS)
  result.idle = idle
  console.log(`Idle\n${formatIdle(idle)}\n`)
}
writeResult(command.json, result)

function formatThroughput(rows: readonly Throughput[]): string {
  const header = [
    '',
    'events/s',
    'goal',
    '',
    'CPU ns/event',
    'cheapest reads',
    'clock reads',
    'goal',
    '',
    'wire B/event',
  ]
  return formatTable(
    header,
    rows.map((row) => {
      const goals = THROUGHPUT_GOALS[row.workload]
      return [
        row.workload,
        Math.round(row.eventsPerSecond).toLocaleString('en'),
        formatGoal(goals?.rate),
        formatVerdict(row.eventsPerSecond, goals?.rate),
        formatNumber(row.cpuNsPerEvent),
        formatNumber(row.cheapestReads),
        formatNumber(row.clockReads),
        formatGoal(goals?.cpu),
        formatVerdict(row.clockReads, goals?.cpu),
        formatNumber(row.wireBytesPerEvent),
      ]
    }),
  )
}

function formatLoad(load: SteadyLoad): string {
  const delays = load.delays.map(({ name, without, with: recording, added }) =>
    line(`event-loop delay ${name}, ms`, added, DELAY_GOALS[name], without, recording),
  )
  const growthGoal = load.seconds >= TREND_SECONDS ? RSS_GROWTH_GOAL : undefined
  return formatTable(
    ['', 'without', 'with', 'added', 'goal', ''],
    [
      ...delays,
      line('processor time, % of a core', load.addedCpuPercent, undefined),
      line('resident memory, MiB', load.addedRssMiB, STEADY_RSS_GOAL),
      line('its growth, MiB/min', load.rssGrowthMiBPerMinute, growthGoal),
    ],
  )
}

function formatIdle(idle: IdleMemory): string {
  return formatTable(
    ['', 'without', 'with', 'added', 'goal', ''],
    [line('resident memory, MiB', idle.addedMiB, IDLE_RSS_GOAL, idle.bareMiB, idle.withTelemetryMiB)],
  )
}

function line(
  label: string,
  added: number,
  goal: Goal | undefined,
  without?: number,
  recording?: number,
): readonly string[] {
  const shown = (value: number | undefined): string => (value === undefined ? '' : formatNumber(value))
  return [
    label,
    shown(without),
    shown(recording),
    formatNumber(added),
    formatGoal(goal),
    formatVerdict(added, goal),
  ]
}
