import { median } from '../support/statistics.ts'

export type Figures = ReadonlyMap<string, number>

/** What a row may cost on the machine that it is measured on. */
export interface Bounds {
  /**
   * How much dearer all rows are than in the baseline, at least 1: a machine whose neighbours take memory and caches
   * reads its clock as fast as ever and does all else slower, by about as much in every row.
   */
  readonly pace: number
  boundOf(id: string): number
  isOver(id: string): boolean
}

/** In clock reads: a nanosecond more or less on a call that takes two is no regression. */
const SLACK_READS = 0.05

/**
 * Bounds of rows by their baseline. The pace counts as the machine's up to the tolerance; what is slower everywhere by
 * more than that is a regression everywhere.
 *
 * @param tolerance - Part of the baseline's figure, at this pace, that a row may be over it.
 */
export function boundsOf(
  figures: Figures,
  baseline: Readonly<Record<string, number>>,
  tolerance: number,
): Bounds {
  const readsOf = (id: string): number => {
    const reads = baseline[id]
    if (reads === undefined) throw new Error(`Cannot check: the baseline has no ${id}, update it`)
    return reads
  }
  const measured = median([...figures].map(([id, reads]) => reads / readsOf(id)))
  const pace = Math.min(Math.max(measured, 1), 1 + tolerance)
  const boundOf = (id: string): number => {
    const reads = readsOf(id) * pace
    return Math.max(reads * (1 + tolerance), reads + SLACK_READS)
  }
  return { pace, boundOf, isOver: (id) => figures.get(id)! > boundOf(id) }
}
