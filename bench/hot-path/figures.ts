import { median } from '../support/statistics.ts'

/** Nanoseconds per operation, by task and round. */
export type Samples = Readonly<Record<string, readonly number[]>>

/** What a measured process sends. */
export interface GroupResult {
  readonly samples: Samples
  /** What the sink counted: the assertions of the process have compared it with what was recorded. */
  readonly proof: { readonly events: Readonly<Record<string, number>>; readonly blocks: number }
}

/** One benchmark's figures. */
export interface Figure {
  /** Nanoseconds per operation: the median of the rounds, and the fastest. */
  readonly medianNs: number
  readonly minNs: number
  /** The figure that the goal bounds: the median of the rounds' ratios, each within one round. */
  readonly ratio: number
  /** The same of the fastest samples of the run. */
  readonly minRatio: number
  /** The nanoseconds shown, to those of the cheapest and steadiest way to read the clock: what `bench:check` compares. */
  readonly cheapestReads: number
}

/** How a ratio is made: from the nanoseconds of every task in the same round. */
export type Formula = (ns: (id: string) => number) => number

/**
 * @param subject - The task whose nanoseconds are shown, per event.
 * @throws RangeError when a task was not measured.
 */
export function makeFigure(samples: Samples, subject: Formula, formula: Formula): Figure {
  const rounds = samplesOf(samples, 'clock.hrtime').length
  const at =
    (round: number): ((id: string) => number) =>
    (id) =>
      samplesOf(samples, id)[round]!
  const fastest = (id: string): number => Math.min(...samplesOf(samples, id))
  const each = (of: Formula): number[] => Array.from({ length: rounds }, (_, round) => of(at(round)))
  return {
    medianNs: median(each(subject)),
    minNs: subject(fastest),
    ratio: median(each(formula)),
    minRatio: formula(fastest),
    cheapestReads: median(each((ns) => subject(ns) / ns('clock.cell'))),
  }
}

function samplesOf(samples: Samples, id: string): readonly number[] {
  const found = samples[id]
  if (found === undefined) throw new RangeError(`Cannot make a figure: ${id} was not measured`)
  return found
}
