import type { TimeRange } from '../nanoseconds.ts'
import { compare } from '../nanoseconds.ts'
import type { BlockEntry } from './registry.ts'

export type Direction = 'newest' | 'oldest'

/** Up to so many, sorting costs nothing worth saving. */
const FEW_BLOCKS = 2000
const MIN_NS = -(2n ** 63n)
const MAX_NS = 2n ** 63n - 1n

/**
 * The shortest stretch of time up to the end of all blocks (or from their beginning) whose blocks hold so many events.
 *
 * @returns `undefined` when they are not as many.
 */
export function timeWindow(
  blocks: readonly BlockEntry[],
  direction: Direction,
  events: number,
): TimeRange | undefined {
  const edge =
    direction === 'newest' ? (block: BlockEntry) => block.fromNs : (block: BlockEntry) => -block.toNs
  let found = 0
  for (const block of latestHalves(blocks, edge, events).sort((a, b) => compare(edge(b), edge(a)))) {
    found += block.eventCount
    if (found < events) continue
    return direction === 'newest'
      ? { beginNs: block.fromNs, endNs: MAX_NS }
      : { beginNs: MIN_NS, endNs: block.toNs }
  }
  return undefined
}

/** Fewer blocks with the highest edges that still hold so many events: a quarter of a million takes long to sort. */
function latestHalves(
  blocks: readonly BlockEntry[],
  edge: (block: BlockEntry) => bigint,
  events: number,
): BlockEntry[] {
  let kept = [...blocks]
  while (kept.length > FEW_BLOCKS) {
    const [least, most] = kept.reduce(
      ([low, high], block) => [
        edge(block) < low ? edge(block) : low,
        edge(block) > high ? edge(block) : high,
      ],
      [MAX_NS, MIN_NS],
    )
    const middle = least + (most - least + 1n) / 2n
    const later = kept.filter((block) => edge(block) >= middle)
    const count = later.reduce((sum, { eventCount }) => sum + eventCount, 0)
    if (count < events || later.length === kept.length) return kept
    kept = later
  }
  return kept
}
