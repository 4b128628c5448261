import type { Goal } from '../support/goal.ts'
import type { Line } from '../support/line.ts'
import { runMeasured } from '../support/measured-process.ts'
import { DiscardingServer } from './discarding-server.ts'
import { verifyRequests } from './verify-requests.ts'

/** What a flood's process sends. */
interface FloodResult {
  readonly events: number
  readonly elapsedMs: number
  readonly userMs: number
  readonly systemMs: number
  /** Nanoseconds of one clock read, by the way it is read. */
  readonly clocks: Readonly<Record<string, number>>
  readonly maxHeldBytes: number
  readonly delivered: { readonly blocks: number; readonly events: number }
}

export interface Throughput {
  readonly workload: Workload
  readonly eventsPerSecond: number
  /** Processor time of the whole process, user and system, all threads. */
  readonly cpuNsPerEvent: number
  readonly clockReads: number
  readonly cheapestReads: number
  readonly wireBytesPerEvent: number
  readonly maxHeldMiB: number
  readonly events: number
}

export const WORKLOADS = ['metrics', 'logs', 'mixed'] as const
export type Workload = (typeof WORKLOADS)[number]

const LABELS: Readonly<Record<Workload, string>> = {
  metrics: 'metrics',
  logs: 'formatted logs',
  mixed: 'metrics, logs and spans',
}
const GOALS: Readonly<Partial<Record<Workload, { readonly rate: Goal; readonly cpu: Goal }>>> = {
  metrics: { rate: { atLeast: 2_000_000 }, cpu: { atMost: 4 } },
  logs: { rate: { atLeast: 500_000 }, cpu: { atMost: 6 } },
}

/**
 * Records as fast as the pipeline takes it for some time, and sees that every event reached the server.
 *
 * @throws Error when events are missing or cannot be read.
 */
export async function measureThroughput(
  node: string,
  workload: Workload,
  seconds: number,
): Promise<Throughput> {
  await using server = await DiscardingServer.start(node)
  const flood = await runMeasured<FloodResult>({
    script: 'pipeline/flood.mjs',
    args: [server.url, workload, String(seconds)],
    node,
  })
  const { stats, kept } = await server.report()
  if (stats.blocks !== flood.delivered.blocks) {
    throw new Error(`${flood.delivered.blocks} blocks were delivered, the server has got ${stats.blocks}`)
  }
  await verifyRequests(kept)
  const cpuNsPerEvent = ((flood.userMs + flood.systemMs) * 1e6) / flood.events
  return {
    workload,
    eventsPerSecond: flood.events / (flood.elapsedMs / 1000),
    cpuNsPerEvent,
    clockReads: cpuNsPerEvent / flood.clocks['clock.hrtime']!,
    cheapestReads: cpuNsPerEvent / flood.clocks['clock.cell']!,
    wireBytesPerEvent: stats.blockBytes / flood.delivered.events,
    maxHeldMiB: flood.maxHeldBytes / 2 ** 20,
    events: flood.events,
  }
}

export function throughputLines(found: Throughput): readonly Line[] {
  const { rate, cpu } = GOALS[found.workload] ?? {}
  const line = (label: string, figure: number, unit: string, goal?: Goal): Line => ({
    section: 'The whole pipeline, as fast as it goes, nothing dropped',
    label: `${LABELS[found.workload]}: ${label}`,
    figure,
    unit,
    goal,
  })
  return [
    line('sustained rate', found.eventsPerSecond, 'events/s', rate),
    line('processor time of the process', found.clockReads, 'clock reads per event', cpu),
    line('processor time of the process', found.cpuNsPerEvent, 'ns per event'),
    line('sent', found.wireBytesPerEvent, 'bytes per event'),
  ]
}
