import { builtin } from '../../model/runtime/builtins.ts'
import { platformClock } from '../../model/runtime/clock.ts'
import type { TelemetryGuard } from '../telemetry-guard.ts'
import { END_SIGNALS, endBySignal, hasten, receivesSignals } from './end-signals.ts'

/**
 * Delivers before a signal that nobody handles ends the process, which it then does as it would have without telemetry.
 *
 * There is a listener only while the application has none: handlers of its own run as ever and decide what the signal
 * does, code that counts listeners counts right, and a handler that takes itself off and raises the signal again finds
 * this one in its place.
 */
export class DefaultSignals {
  readonly #guard: TelemetryGuard
  #stopped = false
  #endingSinceMs: number | undefined

  constructor(guard: TelemetryGuard) {
    this.#guard = guard
    if (!builtin('node:worker_threads').isMainThread || !receivesSignals()) return
    process.on('newListener', this.#onAdded)
    process.on('removeListener', this.#onRemoved)
    for (const signal of END_SIGNALS) this.#settle(signal)
  }

  stop(): void {
    this.#stopped = true
    process.off('newListener', this.#onAdded)
    process.off('removeListener', this.#onRemoved)
    for (const signal of END_SIGNALS) process.removeListener(signal, this.#onSignal)
  }

  // The event comes before the listener is there. A signal cannot come in between.
  readonly #onAdded = (event: string | symbol): void => {
    if (isEndSignal(event)) queueMicrotask(() => this.#settle(event))
  }

  // At once: whoever raises the signal again does so in the same turn.
  readonly #onRemoved = (event: string | symbol): void => {
    if (isEndSignal(event)) this.#settle(event)
  }

  /** Adds our listener where it would be the only one; takes it off where it is not. */
  #settle(signal: NodeJS.Signals): void {
    if (this.#stopped) return
    const others = this.#countOthers(signal)
    const ours = process.listenerCount(signal) - others
    if (others === 0 && ours === 0) process.on(signal, this.#onSignal)
    // Code that puts all listeners away for a while may have put ours back as well.
    else if (ours > (others === 0 ? 1 : 0)) process.removeListener(signal, this.#onSignal)
  }

  #countOthers(signal: NodeJS.Signals): number {
    return process.rawListeners(signal).filter((listener) => listener !== this.#onSignal).length
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.#countOthers(signal) > 0) return // added in this very turn
    const { exitBudget } = this.#guard
    if (this.#endingSinceMs !== undefined) {
      hasten(this.#endingSinceMs, () => {
        exitBudget.spend()
        this.#end(signal)
      })
      return
    }
    this.#endingSinceMs = platformClock.now()
    exitBudget.reset()
    void this.#guard.drain(exitBudget.beforeLastMs()).then(() => this.#end(signal))
  }

  #end(signal: NodeJS.Signals): void {
    this.#guard.shutdownSync({ timeoutMs: this.#guard.exitBudget.remainingMs() })
    this.stop()
    endBySignal(signal)
  }
}

function isEndSignal(event: string | symbol): event is NodeJS.Signals {
  return END_SIGNALS.includes(event as NodeJS.Signals)
}
