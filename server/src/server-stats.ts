import type { ServerEvent } from './server-event.ts'

/** A problem as `/api/problems` shows it. */
export interface Problem {
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number
  readonly event: Exclude<ServerEvent, { readonly type: 'stored' | 'duplicate' | 'query' }>
}

/** Problems remembered; older ones are only counted. */
const MAX_PROBLEMS = 500

/** Counts what the server did since it started, and remembers the latest problems. */
export class ServerStats {
  readonly startedAtMs: number
  readonly stored = { process: 0, stream: 0, block: 0 }
  readonly duplicates = { process: 0, stream: 0, block: 0 }
  storedBytes = 0
  undecodableBlocks = 0
  /** Answers to refused requests, by status. */
  readonly refused = new Map<number, number>()
  readonly #problems: Problem[] = []
  readonly #wallClock: () => number

  constructor(wallClock: () => number) {
    this.#wallClock = wallClock
    this.startedAtMs = wallClock()
  }

  /** Latest first. */
  get problems(): readonly Problem[] {
    return this.#problems.toReversed()
  }

  count(event: ServerEvent): void {
    switch (event.type) {
      case 'stored':
        this.stored[event.what] += 1
        this.storedBytes += event.bytes
        return
      case 'duplicate':
        this.duplicates[event.what] += 1
        return
      case 'query':
        return
      case 'refused':
        this.refused.set(event.status, (this.refused.get(event.status) ?? 0) + 1)
        break
      case 'undecodable':
        this.undecodableBlocks += 1
        break
      case 'warning':
        break
    }
    this.#problems.push({ atMs: this.#wallClock(), event })
    if (this.#problems.length > MAX_PROBLEMS) this.#problems.shift()
  }
}
