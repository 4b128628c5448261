/** An async span, as lanes are found for it. */
export interface AsyncSpan {
  readonly id: bigint
  readonly parent: bigint
  readonly beginNs: bigint
  readonly endNs: bigint
  readonly name: string
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
}

interface Known {
  readonly lane: Lane
  readonly endNs: bigint
}

/** Ended spans beyond are forgotten: their children begin lanes of their own. */
const MAX_KNOWN = 200_000

/**
 * Finds a lane for each async span. Perfetto closes the span of a track that was opened last, so that spans which overlap on one
 * track get each other's ends: a child lies on its parent's lane where it is within it and nothing else is open above, else on a free
 * lane of the same root.
 */
export class AsyncLanes {
  readonly #known = new Map<bigint, Known>()
  readonly #lanes = new Map<string, Lane[]>()
  #count = 0

  /** @param span - In order of begins, of the same begin the longest first. */
  laneOf(span: AsyncSpan): { readonly lane: Lane; readonly leavesParent: boolean } {
    const { id, parent, beginNs, endNs } = span
    const above = this.#known.get(parent)
    const lane = this.#nesting(above?.lane, span) ?? this.#free(above?.lane.name ?? span.name, beginNs)
    lane.open.push({ id, endNs })
    this.#known.set(id, { lane, endNs })
    if (this.#known.size > MAX_KNOWN) this.#forget(beginNs)
    return { lane, leavesParent: above !== undefined && above.lane !== lane }
  }

  /** The parent's lane, where the span fits into what is open there. */
  #nesting(lane: Lane | undefined, { parent, beginNs, endNs }: AsyncSpan): Lane | undefined {
    if (lane === undefined) return undefined
    const top = openAt(lane, beginNs)
    if (top === undefined) return lane
    return top.id === parent && top.endNs >= endNs ? lane : undefined
  }

  #free(name: string, beginNs: bigint): Lane {
    const lanes = this.#lanes.get(name) ?? []
    this.#lanes.set(name, lanes)
    const free = lanes.find((lane) => openAt(lane, beginNs) === undefined)
    if (free !== undefined) return free
    const lane: Lane = { number: this.#count++, name, open: [] }
    lanes.push(lane)
    return lane
  }

  #forget(beginNs: bigint): void {
    for (const [id, { endNs }] of this.#known) if (endNs < beginNs) this.#known.delete(id)
  }
}

/** What is open on a lane at a time. */
function openAt({ open }: Lane, timeNs: bigint): Open | undefined {
  while (open.length > 0 && open.at(-1)!.endNs <= timeNs) open.pop()
  return open.at(-1)
}
