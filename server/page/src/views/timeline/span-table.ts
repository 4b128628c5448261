import { assignLanes } from './lanes.ts'

/** A span as the query gives it; times in nanoseconds from a base. */
export interface SpanRow {
  readonly stream_id: string
  readonly thread_name: string
  readonly id: string
  readonly parent: string
  readonly depth: number
  readonly b: number
  readonly d: number
  readonly name: string
  readonly target: string
}

/** What is drawn one below the other: the call stack of a thread, or all async spans. */
export interface Track {
  readonly label: string
  readonly kind: 'thread' | 'async'
  readonly lanes: number
  /** For each lane its spans, in order of their begins. */
  readonly spans: readonly Int32Array[]
}

/** The spans of a process as columns. */
export class SpanTable {
  readonly begin: Float64Array
  readonly end: Float64Array
  readonly parent: Int32Array
  readonly name: Uint32Array
  readonly lane: Uint16Array
  readonly names: readonly string[]
  readonly tracks: readonly Track[]
  readonly rows: readonly SpanRow[]
  #children: ReadonlyMap<number, readonly number[]> | undefined
  #byLength: Uint32Array | undefined

  /** @param rows - In order of their begins. */
  constructor(rows: readonly SpanRow[]) {
    this.rows = rows
    const count = rows.length
    this.begin = Float64Array.from(rows, ({ b }) => b)
    this.end = Float64Array.from(rows, ({ b, d }) => b + d)
    this.parent = new Int32Array(count).fill(-1)
    this.name = new Uint32Array(count)
    this.lane = new Uint16Array(count)
    const names = new Map<string, number>()
    const byId = new Map(rows.map((row, i) => [`${row.stream_id}\0${row.id}`, i]))
    const tracks = new Map<string, number[]>()
    rows.forEach((row, i) => {
      if (!names.has(row.name)) names.set(row.name, names.size)
      this.name[i] = names.get(row.name)!
      this.parent[i] = byId.get(`${row.stream_id}\0${row.parent}`) ?? -1
      const track = tracks.get(row.stream_id)
      if (track === undefined) tracks.set(row.stream_id, [i])
      else track.push(i)
    })
    this.names = [...names.keys()]
    this.tracks = [...tracks]
      .map(([stream, members]) => this.#track(stream, members))
      .sort((a, b) => (a.kind === b.kind ? a.label.localeCompare(b.label) : a.kind === 'thread' ? -1 : 1))
  }

  get length(): number {
    return this.rows.length
  }

  #track(stream: string, members: readonly number[]): Track {
    const kind = stream === '' ? 'async' : 'thread'
    const { thread_name: label } = this.rows[members[0]!]!
    if (kind === 'thread') {
      const top = members.reduce((least, i) => Math.min(least, this.rows[i]!.depth), Number.MAX_SAFE_INTEGER)
      for (const i of members) this.lane[i] = this.rows[i]!.depth - top
    } else {
      const position = new Map(members.map((i, at) => [i, at]))
      const lanes = assignLanes({
        begin: Float64Array.from(members, (i) => this.begin[i]!),
        end: Float64Array.from(members, (i) => this.end[i]!),
        parent: Int32Array.from(members, (i) => position.get(this.parent[i]!) ?? -1),
      })
      members.forEach((i, at) => {
        this.lane[i] = lanes[at]!
      })
    }
    const lists: number[][] = []
    for (const i of members) {
      const lane = this.lane[i]!
      while (lists.length <= lane) lists.push([])
      lists[lane]!.push(i)
    }
    return {
      label: kind === 'async' ? 'async spans' : label || 'thread',
      kind,
      lanes: lists.length,
      spans: lists.map((list) => Int32Array.from(list)),
    }
  }

  /** The first span of a lane that ends after a time. */
  firstAfter(spans: Int32Array, time: number): number {
    let low = 0
    let high = spans.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.end[spans[middle]!]! <= time) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The span of a lane at a time, or the nearest within a tolerance. */
  at(track: Track, lane: number, time: number, tolerance: number): number | undefined {
    const spans = track.spans[lane]
    if (spans === undefined) return undefined
    const i = spans[this.firstAfter(spans, time - tolerance)]
    return i !== undefined && this.begin[i]! <= time + tolerance ? i : undefined
  }

  find(id: string, kind: Track['kind']): number | undefined {
    const i = this.rows.findIndex((row) => row.id === id && (row.stream_id === '') === (kind === 'async'))
    return i < 0 ? undefined : i
  }

  /** The longest spans of a stretch, the longest first. */
  longest(from: number, to: number, most: number): number[] {
    const length = (i: number): number => this.end[i]! - this.begin[i]!
    this.#byLength ??= Uint32Array.from(this.rows.keys()).sort((a, b) => length(b) - length(a))
    const found: number[] = []
    for (const i of this.#byLength) {
      if (found.length === most) break
      if (this.end[i]! > from && this.begin[i]! < to) found.push(i)
    }
    return found
  }

  children(i: number): readonly number[] {
    if (this.#children === undefined) {
      const children = new Map<number, number[]>()
      this.parent.forEach((parent, child) => {
        if (parent < 0) return
        const siblings = children.get(parent)
        if (siblings === undefined) children.set(parent, [child])
        else siblings.push(child)
      })
      this.#children = children
    }
    return this.#children.get(i) ?? []
  }

  /** The time of a span in which none of its children ran, in nanoseconds. */
  selfTime(i: number): number {
    let covered = 0
    let until = this.begin[i]!
    const end = this.end[i]!
    for (const child of this.children(i)) {
      const from = Math.max(this.begin[child]!, until)
      const to = Math.min(this.end[child]!, end)
      if (to <= from) continue
      covered += to - from
      until = to
    }
    return end - this.begin[i]! - covered
  }

  /** A span and all below it, at most so many. */
  family(i: number, most: number): number[] {
    const family = [i]
    for (let at = 0; at < family.length && family.length < most; at++)
      family.push(...this.children(family[at]!))
    return family.slice(0, most)
  }
}
