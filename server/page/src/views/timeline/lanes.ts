const MAX_LANES = 400

/** Spans in order of their begins: a child below its parent, on the first lane that is free by then. */
export interface Placed {
  readonly begin: Float64Array
  readonly end: Float64Array
  /** The position of the parent, −1 where there is none. */
  readonly parent: Int32Array
}

/**
 * A lane for each span, so that those that overlap never share one. Beyond 400 lanes the last one takes all.
 *
 * @returns The lane of each, from 0.
 */
export function assignLanes({ begin, end, parent }: Placed): Uint16Array {
  const lanes = new Uint16Array(begin.length)
  const freeFrom: number[] = []
  for (let i = 0; i < begin.length; i++) {
    const above = parent[i]!
    let lane = above < 0 ? 0 : Math.min(lanes[above]! + 1, MAX_LANES - 1)
    while (lane < MAX_LANES - 1 && (freeFrom[lane] ?? Number.NEGATIVE_INFINITY) > begin[i]!) lane++
    lanes[i] = lane
    // What lies above stays above: lanes that nobody has used yet are free from the beginning.
    while (freeFrom.length <= lane) freeFrom.push(Number.NEGATIVE_INFINITY)
    freeFrom[lane] = Math.max(freeFrom[lane]!, end[i]!)
  }
  return lanes
}
