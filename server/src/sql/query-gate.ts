import { SqlError } from './sql-error.ts'

/** Queries that wait for a place; more are refused. */
const MAX_WAITING = 100

/** Lets a few queries in at a time. */
export class QueryGate {
  readonly #places: number
  readonly #waiting: (() => void)[] = []
  #inside = 0
  #closed = false
  #empty: (() => void) | undefined

  constructor(places: number) {
    this.#places = places
  }

  /**
   * Waits for a place.
   *
   * @returns Gives the place back; to be called once.
   * @throws {@link SqlError} `RESOURCE_EXHAUSTED` when too many wait, `UNAVAILABLE` after {@link close}; the signal's
   * reason when it is aborted.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#closed) throw new SqlError('UNAVAILABLE', 'The server is closing')
    if (this.#inside >= this.#places) await this.#wait(signal)
    else this.#inside++
    let isInside = true
    return () => {
      if (!isInside) return
      isInside = false
      this.#leave()
    }
  }

  /** Lets nobody in any more and waits for those inside. */
  async close(): Promise<void> {
    this.#closed = true
    for (const next of this.#waiting.splice(0)) next()
    if (this.#inside === 0) return
    await new Promise<void>((resolve) => {
      this.#empty = resolve
    })
  }

  #leave(): void {
    const next = this.#closed ? undefined : this.#waiting.shift()
    if (next !== undefined) {
      next()
      return
    }
    this.#inside--
    if (this.#inside === 0) this.#empty?.()
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING) {
      throw new SqlError(
        'RESOURCE_EXHAUSTED',
        `Resources exhausted: ${MAX_WAITING} queries are waiting already`,
      )
    }
    return new Promise((resolve, reject) => {
      const give = (): void => {
        signal.removeEventListener('abort', leave)
        if (this.#closed) reject(new SqlError('UNAVAILABLE', 'The server is closing'))
        else resolve()
      }
      const leave = (): void => {
        const at = this.#waiting.indexOf(give)
        if (at >= 0) this.#waiting.splice(at, 1)
        reject(signal.reason as Error)
      }
      this.#waiting.push(give)
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}
