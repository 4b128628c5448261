import type { Goal } from '../support/goal.ts'
import { runMeasured } from '../support/measured-process.ts'
import { median, slope } from '../support/statistics.ts'
import { DiscardingServer } from './discarding-server.ts'
import { verifyRequests } from './verify-requests.ts'

const DELAYS = ['p50', 'p99', 'p99.9', 'max'] as const
type Delay = (typeof DELAYS)[number]

/** What a paced program's process sends. */
interface PacedResult {
  readonly made: number
  readonly cpuMs: number
  readonly delayMs: Readonly<Record<Delay, number>>
  /** Bytes, second by second from the start. */
  readonly rss: readonly number[]
  readonly delivered: { readonly blocks: number; readonly events: number } | undefined
}

export interface SteadyLoad {
  readonly rate: number
  readonly seconds: number
  /** Medians over the pairs of runs, in milliseconds: without telemetry, with it, and the difference within a pair. */
  readonly delays: readonly {
    readonly name: Delay
    readonly without: number
    readonly with: number
    readonly added: number
  }[]
  /** Processor time that telemetry adds, in percent of one core. */
  readonly addedCpuPercent: number
  /** Resident memory beyond the same program without telemetry: median of the second half of the run. */
  readonly addedRssMiB: number
  /** Growth of resident memory over the second half of the run with telemetry. */
  readonly rssGrowthMiBPerMinute: number
}

export const DELAY_GOALS: Readonly<Partial<Record<Delay, Goal>>> = {
  p99: { atMost: 1 },
  'p99.9': { atMost: 2 },
  max: { atMost: 5 },
}
export const STEADY_RSS_GOAL: Goal = { atMost: 60 }
/** Flat: what a trend of ten minutes may show beside the steps in which a heap grows and shrinks. */
export const RSS_GROWTH_GOAL: Goal = { atMost: 0.5 }

const MIB = 2 ** 20

/** Runs the same program with and without telemetry, alternating, and compares within the pairs. */
export async function measureSteadyLoad(
  node: string,
  { rate, seconds, pairs }: { readonly rate: number; readonly seconds: number; readonly pairs: number },
): Promise<SteadyLoad> {
  const runs: { readonly bare: PacedResult; readonly recording: PacedResult }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const bare = await runPaced(node, 'none', rate, seconds)
    runs.push({ bare, recording: await runRecording(node, rate, seconds) })
  }
  const each = (of: (run: (typeof runs)[number]) => number): number => median(runs.map(of))
  return {
    rate,
    seconds,
    delays: DELAYS.map((name) => ({
      name,
      without: each(({ bare }) => bare.delayMs[name]),
      with: each(({ recording }) => recording.delayMs[name]),
      added: each(({ bare, recording }) => recording.delayMs[name] - bare.delayMs[name]),
    })),
    addedCpuPercent: each(({ bare, recording }) => (recording.cpuMs - bare.cpuMs) / (seconds * 10)),
    addedRssMiB: each(
      ({ bare, recording }) => (median(secondHalf(recording.rss)) - median(secondHalf(bare.rss))) / MIB,
    ),
    rssGrowthMiBPerMinute: each(
      ({ recording }) =>
        (slope(secondHalf(recording.rss).map((bytes, second) => [second, bytes])) * 60) / MIB,
    ),
  }
}

async function runRecording(node: string, rate: number, seconds: number): Promise<PacedResult> {
  await using server = await DiscardingServer.start(node)
  const result = await runPaced(node, server.url, rate, seconds)
  const { stats, kept } = await server.report()
  const delivered = result.delivered
  if (delivered === undefined || delivered.events < result.made || stats.blocks !== delivered.blocks) {
    throw new Error(`${result.made} events were made, the server has got ${stats.blocks} blocks of them`)
  }
  await verifyRequests(kept)
  return result
}

function runPaced(node: string, url: string, rate: number, seconds: number): Promise<PacedResult> {
  return runMeasured({ script: 'pipeline/paced.mjs', args: [url, String(rate), String(seconds)], node })
}

function secondHalf(values: readonly number[]): readonly number[] {
  return values.slice(Math.floor(values.length / 2))
}
