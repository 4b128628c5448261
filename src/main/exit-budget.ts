import { toTimerMs } from '../model/durations.ts'

/**
 * The time that delivery may take while a process ends. The stages of one end share it (a flush when `main` returns, when
 * the event loop runs dry, in the `exit` event), so that a server that is down delays the end of a process once.
 */
export class ExitBudget {
  readonly #timeoutMs: number
  #deadlineMs: number | undefined
  #resetting: NodeJS.Timeout | undefined

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** Milliseconds left; the first call starts the count. */
  remainingMs(): number {
    if (this.#deadlineMs === undefined) {
      this.#deadlineMs = performance.now() + this.#timeoutMs
      // Runs only if the process goes on after all; its next end has a budget of its own.
      this.#resetting = setTimeout(() => this.reset(), toTimerMs(2 * this.#timeoutMs, 0)).unref()
    }
    return Math.max(0, Math.ceil(this.#deadlineMs - performance.now()))
  }

  /** The process goes on: its next end has all the time again. */
  reset(): void {
    clearTimeout(this.#resetting)
    this.#deadlineMs = undefined
  }
}
