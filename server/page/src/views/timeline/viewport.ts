/** A stretch of time, in nanoseconds from a base. */
export interface Stretch {
  readonly from: number
  readonly to: number
}

const SHORTEST_NS = 1000

/** Closer by a factor below 1, farther by one above, around a place from 0 to 1. */
export function zoomed({ from, to }: Stretch, factor: number, around: number): Stretch {
  const length = Math.max(SHORTEST_NS, (to - from) * factor)
  const fixed = from + (to - from) * around
  return { from: fixed - length * around, to: fixed + length * (1 - around) }
}

/** Moved by a part of its length. */
export function panned({ from, to }: Stretch, part: number): Stretch {
  const by = (to - from) * part
  return { from: from + by, to: to + by }
}

const STEPS = [1, 2, 5]

/** A round step of time, so that about so many fit. */
export function tickStep(length: number, count: number): number {
  const least = length / count
  const power = 10 ** Math.floor(Math.log10(least))
  return (STEPS.find((step) => step * power >= least) ?? 10) * power
}
