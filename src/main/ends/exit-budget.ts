import { type Clock, platformClock, type Timer } from '../../model/runtime/clock.ts'

/** Part of the time that is kept for the last stage, which runs while nothing else does. */
const RESERVE_MS = 1_000

/**
 * The time that delivery may take while a process ends. The stages of one end share it (a flush when `main` returns, when
 * the event loop runs dry or when a signal comes; then the `exit` event), so that a server that is down delays the end of
 * a process once, by the same time whichever way it ends.
 */
export class ExitBudget {
  readonly #timeoutMs: number
  #deadlineMs: number | undefined
  readonly #clock: Clock
  #resetting: Timer | undefined

  constructor(timeoutMs: number, clock: Clock = platformClock) {
    this.#timeoutMs = timeoutMs
    this.#clock = clock
  }

  /** Milliseconds left; the first call starts the count. */
  remainingMs(): number {
    if (this.#deadlineMs === undefined) {
      this.#deadlineMs = this.#clock.now() + this.#timeoutMs
      // Runs only if the process goes on after all; its next end has a budget of its own.
      this.#resetting = this.#clock.after(2 * this.#timeoutMs, () => this.reset())
    }
    return Math.max(0, Math.ceil(this.#deadlineMs - this.#clock.now()))
  }

  /** Milliseconds left for a stage that the last one follows. */
  beforeLastMs(): number {
    return Math.max(0, this.remainingMs() - Math.ceil(Math.min(RESERVE_MS, this.#timeoutMs / 5)))
  }

  /** No stage takes any more time. */
  spend(): void {
    this.remainingMs()
    this.#deadlineMs = 0
  }

  /** The process goes on, or is to end for another reason: all the time is there again. */
  reset(): void {
    this.#resetting?.cancel()
    this.#deadlineMs = undefined
  }
}
