import type { DecodedViewSet } from '../tables/schema.ts'
import type { Tables } from '../tables/tables.ts'

/** Views that were asked for within this time are kept up to date. */
const WARM_MS = 10 * 60_000

type Kept = Exclude<DecodedViewSet, 'thread_spans'>

/**
 * Decodes blocks as they come, for the views that were asked for lately: whoever asks again does not wait for it. What
 * nobody asks for is not decoded.
 */
export class WarmViews {
  readonly #tables: Tables
  readonly #wallClock: () => number
  readonly #warn: (message: string) => void
  readonly #askedMs = new Map<Kept, number>()
  #working: Promise<void> | undefined
  #isBehind = false
  #closed = false

  constructor(tables: Tables, wallClock: () => number, warn: (message: string) => void) {
    this.#tables = tables
    this.#wallClock = wallClock
    this.#warn = warn
  }

  /** A query asked for a view. */
  touch(viewSet: DecodedViewSet): void {
    if (viewSet !== 'thread_spans') this.#askedMs.set(viewSet, this.#wallClock())
  }

  /** There may be blocks to decode. */
  changed(): void {
    this.#isBehind = true
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#working
  }

  async #work(): Promise<void> {
    while (this.#isBehind && !this.#closed) {
      this.#isBehind = false
      for (const [viewSet, askedMs] of this.#askedMs) {
        if (this.#wallClock() - askedMs > WARM_MS) this.#askedMs.delete(viewSet)
        else await this.#catchUp(viewSet)
      }
    }
  }

  async #catchUp(viewSet: Kept): Promise<void> {
    try {
      while (!this.#closed && (await this.#tables.decodeSome(viewSet)));
    } catch (error) {
      this.#warn(`Cannot decode for ${viewSet}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
