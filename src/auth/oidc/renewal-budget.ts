/** Renewals at once after a quiet time: more than a revocation and its repetition ever need. */
const CAPACITY = 5
const REFILL_MS = 60_000

/** How often a token may be replaced because the server refused it: five times at once, then once a minute. */
export class RenewalBudget {
  readonly #now: () => number
  #left: number = CAPACITY
  #countedAt: number

  /** @param now - Monotonic clock, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now
    this.#countedAt = now()
  }

  /** Takes one renewal; `false` when there is none left. */
  spend(): boolean {
    const now = this.#now()
    this.#left = Math.min(CAPACITY, this.#left + (now - this.#countedAt) / REFILL_MS)
    this.#countedAt = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
