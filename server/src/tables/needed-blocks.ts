import type { TimeRange } from '../nanoseconds.ts'
import type { DecodeState } from './decode/decode-state.ts'
import type { BlockEntry, Registry, StreamEntry } from './registry.ts'
import { type DecodedViewSet, TAG_OF } from './schema.ts'
import { type Direction, timeWindow } from './time-windows.ts'

/** Which blocks of a set of views a query may need; without a member, all. */
export interface Need {
  readonly viewSet: DecodedViewSet
  readonly processId?: string | undefined
  readonly streamId?: string | undefined
  /** Nanoseconds since the Unix epoch, both ends included. */
  readonly fromNs?: bigint | undefined
  readonly toNs?: bigint | undefined
}

/** A stretch of time has so many times the events of the one before, and at most such a part of all. */
const WINDOW_GROWTH = 64
const WINDOW_SHARE = 4
/** A block's edges are microseconds; its events may lie a little outside. */
const EDGE_NS = 1_000_000n

/** Which blocks queries need. */
export class NeededBlocks {
  readonly #registry: Registry
  readonly #state: DecodeState

  constructor(registry: Registry, state: DecodeState) {
    this.#registry = registry
    this.#state = state
  }

  /** Those of them that are not decoded. */
  pending(need: Need): BlockEntry[] {
    return [...this.#of(need)].filter(({ number }) => !this.#state.has(need.viewSet, number))
  }

  /**
   * Ever longer stretches of time at the end (or the beginning) of what a query needs, with events enough that the query may
   * find its rows there; none that would save little.
   */
  timeWindows(need: Need, direction: Direction, events: number): TimeRange[] {
    const blocks = [...this.#of(need)]
    const all = blocks.reduce((sum, { eventCount }) => sum + eventCount, 0)
    return [events, events * WINDOW_GROWTH].flatMap((count) =>
      count * WINDOW_SHARE > all ? [] : (timeWindow(blocks, direction, count) ?? []),
    )
  }

  *#of({ viewSet, processId, streamId, fromNs, toNs }: Need): Generator<BlockEntry> {
    const tag = TAG_OF[viewSet]
    for (const stream of this.#streamsOf(processId, streamId)) {
      if (viewSet !== 'thread_spans' && !stream.tags.includes(tag)) continue
      for (const block of stream.blocks) {
        if (toNs !== undefined && block.fromNs - EDGE_NS > toNs) continue
        if (fromNs !== undefined && block.toNs + EDGE_NS < fromNs) continue
        yield block
      }
    }
  }

  *#streamsOf(processId: string | undefined, streamId: string | undefined): Generator<StreamEntry> {
    if (streamId !== undefined) {
      const stream = this.#registry.streams.get(streamId)
      if (stream !== undefined) yield stream
      return
    }
    for (const stream of this.#registry.streams.values()) {
      if (processId === undefined || stream.process.processId === processId) yield stream
    }
  }
}
