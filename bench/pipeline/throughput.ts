import type { Goal } from '../support/goal.ts'
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
  readonly workload: string
  readonly eventsPerSecond: number
  /** Processor time of the whole process, user and system, all threads. */
  readonly cpuNsPerEvent: number
  readonly clockReads: number
  readonly cheapestReads: number
  readonly wireBytesPerEvent: number
  readonly maxHeldMiB: number
  readonly events: number
}

/** The project's goals for each kind of events. */
export const THROUGHPUT_GOALS: Readonly<Record<string, { readonly rate: Goal; readonly cpu: Goal }>> = {
  metrics: { rate: { atLeast: 2_000_000 }, cpu: { atMost: 4 } },
  logs: { rate: { atLeast: 500_000 }, cpu: { atMost: 8 } },
}

/**
 * Records as fast as the pipeline takes it for some time, and sees that every event reached the server.
 *
 * @throws Error when events are missing or cannot be read.
 */
export async function measureThroughput(
  node: string,
  workload: string,
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
