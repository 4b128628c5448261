import { Heap } from './heap.ts'

/** An async span, as lanes are found for it. */
export interface AsyncSpan {
  /** Which one of the trace it is, whatever its id. */
  readonly row: number
  readonly id: bigint
  readonly parent: bigint
  readonly beginNs: bigint
  readonly endNs: bigint
  readonly name: string
}

/** A log of an async span. */
export interface SpanLog {
  readonly parent: bigint
  readonly timeNs: bigint
}

interface Open {
  readonly id: bigint
  readonly endNs: bigint
}

/** A track of a trace: on it each span lies within the one below it, or after it. */
export interface Lane {
  /** From 0, in order of first use. */
  readonly number: number
  /** Of the root span; Perfetto's page shows lanes of one name as one track. */
  readonly name: string
  readonly open: Open[]
  busyUntilNs: bigint
}

export interface Placed {
  readonly lane: Lane
  /** The row of the parent, unless the span lies within it. */
  readonly arrowFrom: number | undefined
}

interface Known {
  readonly row: number
  readonly lane: Lane
  readonly endNs: bigint
  arrows: number
}

/** Lanes of one name. A lane is in one of both heaps, and may be busy, or free, longer than the heap says. */
interface Lanes {
  readonly free: Heap<Lane>
  readonly busy: Heap<{ readonly lane: Lane; readonly untilNs: bigint }>
}

export interface LaneBounds {
  /** Spans beyond are forgotten once they have ended: their children begin lanes of their own. */
  readonly known: number
  /** Names of lanes beyond are called {@link OTHER_SPANS}. */
  readonly names: number
  /** Arrows from one span. */
  readonly arrows: number
}

export const LANE_BOUNDS: LaneBounds = { known: 200_000, names: 1000, arrows: 1000 }
export const OTHER_SPANS = 'other spans'

/**
 * Finds a lane for each async span. Perfetto closes the span of a track that was opened last, so that spans which overlap on one
 * track get each other's ends: a child lies on its parent's lane where it is within it and nothing else is open above, else on a free
 * lane of the same root.
 */
export class AsyncLanes {
  readonly #known = new Map<bigint, Known>()
  readonly #lanes = new Map<string, Lanes>()
  readonly #bounds: LaneBounds
  #forgetAt: number
  #hasForgotten = false
  /** What the bounds cost. */
  readonly lost = { arrows: 0, parents: 0, names: 0 }
  count = 0

  constructor(bounds: LaneBounds = LANE_BOUNDS) {
    this.#bounds = bounds
    this.#forgetAt = bounds.known
  }

  /** @param span - In order of begins, a parent before its children. */
  laneOf(span: AsyncSpan): Placed {
    const { row, id, parent, beginNs, endNs, name } = span
    const above = this.#known.get(parent)
    if (above === undefined && parent !== 0n && this.#hasForgotten) this.lost.parents++
    const placed = this.#place(above, parent, name, beginNs, endNs)
    const { lane } = placed
    if (lane.open.length === 0) lane.busyUntilNs = endNs
    lane.open.push({ id, endNs })
    this.#known.set(id, { row, lane, endNs, arrows: 0 })
    if (this.#known.size > this.#forgetAt) this.#forget(beginNs)
    return placed
  }

  /** @returns `undefined` when the span is not known. */
  laneOfLog({ parent, timeNs }: SpanLog): Placed | undefined {
    const above = this.#known.get(parent)
    return above && this.#place(above, parent, above.lane.name, timeNs, timeNs)
  }

  #place(above: Known | undefined, parent: bigint, name: string, beginNs: bigint, endNs: bigint): Placed {
    if (above === undefined) return { lane: this.#free(this.#nameOf(name), beginNs), arrowFrom: undefined }
    const top = openAt(above.lane, beginNs)
    if (top?.id === parent && top.endNs >= endNs) return { lane: above.lane, arrowFrom: undefined }
    const lane = top === undefined ? above.lane : this.#free(above.lane.name, beginNs)
    return { lane, arrowFrom: this.#arrow(above) }
  }

  #arrow(above: Known): number | undefined {
    if (above.arrows >= this.#bounds.arrows) {
      this.lost.arrows++
      return undefined
    }
    above.arrows++
    return above.row
  }

  #nameOf(root: string): string {
    if (this.#lanes.has(root) || this.#lanes.size < this.#bounds.names) return root
    this.lost.names++
    return OTHER_SPANS
  }

  #free(name: string, timeNs: bigint): Lane {
    let lanes = this.#lanes.get(name)
    if (lanes === undefined) {
      lanes = {
        free: new Heap((a, b) => a.number < b.number),
        busy: new Heap((a, b) => a.untilNs < b.untilNs),
      }
      this.#lanes.set(name, lanes)
    }
    const { free, busy } = lanes
    for (let next = busy.peek(); next !== undefined && next.untilNs <= timeNs; next = busy.peek()) {
      busy.pop()
      free.push(next.lane)
    }
    for (let lane = free.pop(); lane !== undefined; lane = free.pop()) {
      const untilNs = lane.busyUntilNs
      // Where a child was put on the empty lane of its parent, it is busy again.
      busy.push({ lane, untilNs: untilNs > timeNs ? untilNs : timeNs })
      if (openAt(lane, timeNs) === undefined) return lane
    }
    const lane: Lane = { number: this.count++, name, open: [], busyUntilNs: timeNs }
    busy.push({ lane, untilNs: timeNs })
    return lane
  }

  #forget(beginNs: bigint): void {
    const before = this.#known.size
    for (const [id, { endNs }] of this.#known) if (endNs < beginNs) this.#known.delete(id)
    if (this.#known.size < before) this.#hasForgotten = true
    // Spans that are open must be known: looking again at each further one would take time without end.
    this.#forgetAt = Math.max(this.#bounds.known, 2 * this.#known.size)
  }
}

/** What is open on a lane at a time. */
function openAt({ open }: Lane, timeNs: bigint): Open | undefined {
  while (open.length > 0 && open.at(-1)!.endNs <= timeNs) open.pop()
  return open.at(-1)
}
