import type { Goal } from '../support/goal.ts'
import type { Line } from '../support/line.ts'
import { median, slope } from '../support/statistics.ts'
import { type Pace, runBare, runRecording } from './paced-program.ts'

export interface MemoryUnderLoad {
  readonly rate: number
  readonly seconds: number
  /** Resident memory beyond the same program without telemetry: median of the second half of the run. */
  readonly addedMiB: number
  /** Trend over the second half of the run with telemetry. */
  readonly growthMiBPerMinute: number
}

const ADDED_GOAL: Goal = { atMost: 40 }
/** Flat: what a trend of ten minutes may show beside the steps in which a heap grows and shrinks. */
const GROWTH_GOAL: Goal = { atMost: 0.1 }
/** A trend over less than this is noise. */
const TREND_SECONDS = 300
/** The memory of the program without telemetry has settled by then. */
const MAX_BARE_SECONDS = 20
const MIB = 2 ** 20

export async function measureMemoryUnderLoad(pace: Pace): Promise<MemoryUnderLoad> {
  const bare = await runBare({ ...pace, seconds: Math.min(pace.seconds, MAX_BARE_SECONDS) })
  const recording = secondHalf((await runRecording(pace)).rss)
  return {
    rate: pace.rate,
    seconds: pace.seconds,
    addedMiB: (median(recording) - median(secondHalf(bare.rss))) / MIB,
    growthMiBPerMinute: (slope(recording.map((bytes, second) => [second, bytes])) * 60) / MIB,
  }
}

export function memoryUnderLoadLines(memory: MemoryUnderLoad): readonly Line[] {
  const section = `Memory at ${memory.rate.toLocaleString('en')} events a second`
  const line = (label: string, figure: number, unit: string, goal: Goal | undefined): Line => ({
    section,
    label: `${label}, over ${memory.seconds} s`,
    figure,
    unit,
    goal,
  })
  const growthGoal = memory.seconds >= TREND_SECONDS ? GROWTH_GOAL : undefined
  return [
    line('resident memory added', memory.addedMiB, 'MiB', ADDED_GOAL),
    line('its growth in the second half', memory.growthMiBPerMinute, 'MiB per minute', growthGoal),
  ]
}

function secondHalf(values: readonly number[]): readonly number[] {
  return values.slice(Math.floor(values.length / 2))
}
