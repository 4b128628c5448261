import type { Clock, Timer } from '../../src/model/runtime/clock.ts'
import { until } from './until.ts'

interface Entry {
  atMs: number
  readonly periodMs: number | undefined
  readonly fn: () => void
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  /** What {@link random} gives. */
  chance = 0.5
  #nowMs = 0
  readonly #entries: Set<Entry> = new Set()

  readonly now = (): number => this.#nowMs
  readonly wallMs = (): number => 1_700_000_000_000 + this.#nowMs
  readonly random = (): number => this.chance

  after(delayMs: number, fn: () => void): Timer {
    return this.#add({ atMs: this.#nowMs + Math.max(0, delayMs), periodMs: undefined, fn })
  }

  every(periodMs: number, fn: () => void): Timer {
    return this.#add({ atMs: this.#nowMs + periodMs, periodMs, fn })
  }

  soon(fn: () => void): void {
    setImmediate(fn)
  }

  /** Calls that are to come. */
  get timers(): number {
    return this.#entries.size
  }

  /** Milliseconds until the next call; undefined when none is to come. */
  get nextInMs(): number | undefined {
    const next = this.#next()
    return next && next.atMs - this.#nowMs
  }

  /** Moves the time on; what is due is called in its order, and what that starts may run in between. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    await settled()
    for (let next = this.#next(); next !== undefined && next.atMs <= untilMs; next = this.#next()) {
      this.#nowMs = next.atMs
      if (next.periodMs === undefined) this.#entries.delete(next)
      else next.atMs += next.periodMs
      next.fn()
      await settled()
    }
    this.#nowMs = untilMs
    await settled()
  }

  /**
   * Moves the time on from call to call until the promise is settled. Calls that are to come later than `withinMs` from then
   * on do not come: what needs them does not settle.
   */
  async settle<T>(promise: Promise<T>, withinMs: number): Promise<T> {
    let isPending = true
    const settle = (): void => {
      isPending = false
    }
    promise.then(settle, settle)
    await until(() => {
      const inMs = this.nextInMs
      if (isPending && inMs !== undefined && inMs <= withinMs) void this.advance(inMs)
      return !isPending
    })
    return promise
  }

  #add(entry: Entry): Timer {
    this.#entries.add(entry)
    return { cancel: () => this.#entries.delete(entry) }
  }

  #next(): Entry | undefined {
    let next: Entry | undefined
    for (const entry of this.#entries) if (next === undefined || entry.atMs < next.atMs) next = entry
    return next
  }
}

/** Lets everything run that needs no time. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}
