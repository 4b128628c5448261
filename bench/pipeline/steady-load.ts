import type { Goal } from '../support/goal.ts'
import type { Line } from '../support/line.ts'
import { median } from '../support/statistics.ts'
import { DELAYS, type Delay, type Pace, type PacedResult, runBare, runRecording } from './paced-program.ts'

export interface SteadyLoad {
  readonly rate: number
  /** Medians over the pairs of runs, in milliseconds: without telemetry, with it, and the difference within a pair. */
  readonly delays: readonly {
    readonly name: Delay
    readonly without: number
    readonly with: number
    readonly added: number
  }[]
  /** Processor time that telemetry adds, in percent of one core. */
  readonly addedCpuPercent: number
}

const GOALS: Readonly<Partial<Record<Delay, Goal>>> = {
  p99: { atMost: 1 },
  'p99.9': { atMost: 2 },
  max: { atMost: 5 },
}

/** Runs the same program with and without telemetry, alternating, and compares within the pairs. */
export async function measureSteadyLoad(pace: Pace, pairs: number): Promise<SteadyLoad> {
  const runs: { readonly bare: PacedResult; readonly recording: PacedResult }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    runs.push({ bare: await runBare(pace), recording: await runRecording(pace) })
  }
  const each = (of: (run: (typeof runs)[number]) => number): number => median(runs.map(of))
  return {
    rate: pace.rate,
    delays: DELAYS.map((name) => ({
      name,
      without: each(({ bare }) => bare.delayMs[name]),
      with: each(({ recording }) => recording.delayMs[name]),
      added: each(({ bare, recording }) => recording.delayMs[name] - bare.delayMs[name]),
    })),
    addedCpuPercent: each(({ bare, recording }) => (recording.cpuMs - bare.cpuMs) / (pace.seconds * 10)),
  }
}

export function steadyLoadLines(load: SteadyLoad): readonly Line[] {
  const section = `A service that records ${load.rate.toLocaleString('en')} events a second`
  return [
    ...load.delays.flatMap(({ name, without, added }) => [
      { section, label: `event-loop delay without telemetry, ${name}`, figure: without, unit: 'ms' },
      { section, label: `event-loop delay added, ${name}`, figure: added, unit: 'ms', goal: GOALS[name] },
    ]),
    { section, label: 'processor time added', figure: load.addedCpuPercent, unit: '% of a core' },
  ]
}
