import type { Goal } from '../support/goal.ts'
import type { Line } from '../support/line.ts'
import { runMeasured } from '../support/measured-process.ts'
import { median } from '../support/statistics.ts'
import { DiscardingServer } from './discarding-server.ts'

export interface IdleMemory {
  readonly bareMiB: number
  readonly withTelemetryMiB: number
  readonly addedMiB: number
}

const GOAL: Goal = { atMost: 15 }

const RUNS = 5
/** After this a process that only waits has settled. */
const SECONDS = 3
const MIB = 2 ** 20

/** Resident memory of a process that has started telemetry and sent one event, over that of bare Node. */
export async function measureIdleMemory(node: string): Promise<IdleMemory> {
  const bare: number[] = []
  const recording: number[] = []
  await using server = await DiscardingServer.start(node)
  for (let run = 0; run < RUNS; run++) {
    bare.push(await readRss(node, [String(SECONDS)]))
    recording.push(await readRss(node, [String(SECONDS), server.url]))
  }
  return {
    bareMiB: median(bare),
    withTelemetryMiB: median(recording),
    addedMiB: median(recording.map((mib, run) => mib - bare[run]!)),
  }
}

export function idleMemoryLines({ addedMiB, bareMiB }: IdleMemory): readonly Line[] {
  const line = { section: 'A service that has nothing to do', unit: 'MiB' }
  return [
    { ...line, label: 'resident memory of bare Node', figure: bareMiB },
    { ...line, label: 'resident memory added', figure: addedMiB, goal: GOAL },
  ]
}

async function readRss(node: string, args: readonly string[]): Promise<number> {
  const { rss } = await runMeasured<{ rss: number }>({ script: 'pipeline/idle.mjs', args, node })
  return rss / MIB
}
