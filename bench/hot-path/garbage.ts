import type { Goal } from '../support/goal.ts'
import { runMeasured } from '../support/measured-process.ts'

/** What one kind of event allocates on the JavaScript heap. */
export interface Garbage {
  /** Over everything that was recorded, the sealing of blocks included. */
  readonly bytesPerEvent: number
  /** All of it, put down to the blocks: the least object is 12 bytes, so below that per event nothing else is left. */
  readonly bytesPerBlock: number
  readonly events: number
  /** Slices that were measured again because the collector ran. */
  readonly collected: number
}

/**
 * Zero for the event itself: no allocation is smaller than 12 bytes, so what is below one byte per event belongs to the
 * block that is sealed every twenty to thirty thousand events.
 */
export const GARBAGE_GOAL: Goal = { atMost: 1 }

/** Events that must allocate nothing. */
const STATIC_EVENTS: readonly string[] = [
  'metric.integer',
  'metric.float',
  'metric.integer.tagged',
  'metric.float.tagged',
  'log.static.template',
  'log.static.string',
  'log.tagged',
  'log.bound.template',
  'log.bound.string',
  'log.turns.template',
  'log.turns.string',
  'log.turns.tagged',
  'span.begin-end',
]
/** Shown beside them, with the clock alone. */
const OTHERS: readonly string[] = ['clock.hrtime', 'clock.cell', 'span.definition', 'log.formatted']

export function isStaticEvent(id: string): boolean {
  return STATIC_EVENTS.includes(id)
}

/** Measures the bytes allocated by this many events of each kind. */
export function measureGarbage(node: string, events: number): Promise<Readonly<Record<string, Garbage>>> {
  return runMeasured({
    script: 'hot-path/groups/garbage.mjs',
    args: [String(events), ...OTHERS, ...STATIC_EVENTS],
    // A new generation that holds a slice: the collector then runs between slices, if at all.
    nodeFlags: ['--expose-gc', '--max-semi-space-size=256', '--min-semi-space-size=256'],
    node,
  })
}
