import type { StoredBlock, StoredProcess, StoredStream } from '../store/store-index.ts'

/** Something that can be asked for now: a process, or a block whose stream and process are there. */
export type Arrival =
  | { readonly process: StoredProcess; readonly block?: undefined }
  | { readonly block: StoredBlock; readonly stream: StoredStream }

/** What came after a place, and the place after it. */
export interface Arrived {
  readonly arrivals: readonly Arrival[]
  readonly next: number
  /** Arrivals between the place and the first of these that are no longer held. */
  readonly dropped: number
}

/**
 * The latest things that were stored, in order. Whoever follows has a place of its own, so that a slow one holds up nothing and
 * nothing is kept for it: what it was too late for is counted.
 */
export class Arrivals {
  readonly #max: number
  #held: Arrival[] = []
  /** Place of the first that is held. */
  #first = 0
  readonly #waiting = new Set<() => void>()

  /** @param max - How many are held. */
  constructor(max: number) {
    this.#max = max
  }

  /** The place after the latest. */
  get end(): number {
    return this.#first + this.#held.length
  }

  add(arrival: Arrival): void {
    this.#held.push(arrival)
    // Half of them at once: to take the first from an array costs as much as its length.
    if (this.#held.length >= 2 * this.#max) {
      this.#held = this.#held.slice(-this.#max)
      this.#first += this.#max
    }
    for (const tell of this.#waiting) tell()
  }

  /** What is held from a place on, at most so many. */
  since(place: number, most: number): Arrived {
    const from = Math.max(place, this.#first)
    const arrivals = this.#held.slice(from - this.#first, from - this.#first + most)
    return { arrivals, next: from + arrivals.length, dropped: from - place }
  }

  /** Waits until something came after a place, for a time, or until the signal says to stop. */
  wait(place: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (place < this.end || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        this.#waiting.delete(end)
        resolve()
      }
      const timer = setTimeout(end, milliseconds)
      signal.addEventListener('abort', end)
      this.#waiting.add(end)
    })
  }
}
