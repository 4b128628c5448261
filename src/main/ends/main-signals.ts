import { builtin } from '../../model/runtime/builtins.ts'
import { platformClock } from '../../model/runtime/clock.ts'
import type { TelemetryGuard } from '../telemetry-guard.ts'
import { END_SIGNALS, exitCodeOf, hasten, receivesSignals } from './end-signals.ts'

const { getEventListeners } = builtin('node:events')

/**
 * Ends the process on a signal as it would end without a handler, only delivered: the abort signal is raised, whoever
 * heeds it gets time to finish, what was recorded is delivered, and the exit code is the one that shells show for the
 * signal. It exits rather than raising the signal once more, which would do nothing to the first process of a container.
 * Where the application has handlers of its own, they decide; the abort signal is raised all the same.
 */
export class MainSignals {
  readonly #abort: AbortController
  readonly #guard: TelemetryGuard
  /** Whether `main` can know of the signal: one that takes no argument cannot. */
  readonly #mainHeeds: boolean
  #mainRuns = true
  /** Signals that listeners were taken off in this turn: `once` does so before it calls them. */
  readonly #taken: Set<string | symbol> = new Set()
  #ending: { readonly signal: NodeJS.Signals; readonly sinceMs: number } | undefined

  constructor(abort: AbortController, guard: TelemetryGuard, mainHeeds: boolean) {
    this.#abort = abort
    this.#guard = guard
    this.#mainHeeds = mainHeeds
    if (!builtin('node:worker_threads').isMainThread || !receivesSignals()) return
    process.on('removeListener', this.#onRemoved)
    for (const signal of END_SIGNALS) process.on(signal, this.#onSignal)
  }

  /** Whether a signal is about to end the process. */
  get isEnding(): boolean {
    return this.#ending !== undefined
  }

  /**
   * To be called when `main` has returned.
   *
   * @returns The exit code to end with now, where a signal has asked the process to end and nobody else handles it.
   */
  mainReturned(): number | undefined {
    this.#mainRuns = false
    return this.#ending && exitCodeOf(this.#ending.signal)
  }

  readonly #onRemoved = (event: string | symbol): void => {
    this.#taken.add(event)
    queueMicrotask(() => this.#taken.delete(event))
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const { exitBudget, shutdownTimeoutMs } = this.#guard
    if (this.#ending !== undefined) {
      if (!this.#isHandledElsewhere(signal)) hasten(this.#ending.sinceMs, () => this.#endNow(signal))
      return
    }
    const grace = this.#grace()
    const handled = this.#isHandledElsewhere(signal)
    // Handlers of the other signals may well do something else than end: reload a configuration, write a heap snapshot.
    if (!handled || signal === 'SIGTERM' || signal === 'SIGINT')
      this.#abort.abort(new Error(`received ${signal}`))
    if (handled) {
      // The application ends when it sees fit; what is there by now is safe already.
      void this.#guard.deliver(shutdownTimeoutMs)
      return
    }
    this.#ending = { signal, sinceMs: platformClock.now() }
    process.exitCode = exitCodeOf(signal) // for a loop that runs dry once the signal is heeded
    exitBudget.reset()
    if (grace === 'none') {
      void this.#end(signal)
      return
    }
    // What is there by now is sent while the application finishes, so that little is left to wait for.
    const graceMs = grace === 'main' ? shutdownTimeoutMs : exitBudget.beforeLastMs()
    void this.#guard.deliver(graceMs)
    platformClock.after(graceMs, () => void this.#end(signal))
  }

  /**
   * Who gets time: a `main` that runs and may know of the signal has the whole shutdown timeout, before that of the delivery.
   * Where it has returned, those who listen to the abort signal share one timeout with the delivery.
   */
  #grace(): 'main' | 'listeners' | 'none' {
    if (this.#abort.signal.aborted) return 'none' // they have had it, while the application handled the signal
    const listens = getEventListeners(this.#abort.signal, 'abort').length > 0
    if (this.#mainRuns && (listens || this.#mainHeeds)) return 'main' // it may poll `signal.aborted`
    return listens ? 'listeners' : 'none'
  }

  async #end(signal: NodeJS.Signals): Promise<never> {
    await this.#guard.drain(this.#guard.exitBudget.beforeLastMs())
    process.exit(exitCodeOf(signal))
  }

  #endNow(signal: NodeJS.Signals): never {
    this.#guard.exitBudget.spend()
    process.exit(exitCodeOf(signal))
  }

  /** Whether a handler of the application's own is there for the signal, or was until it was called just now. */
  #isHandledElsewhere(signal: NodeJS.Signals): boolean {
    if (this.#taken.has(signal)) return true
    const listeners = process.rawListeners(signal).filter((listener) => listener !== this.#onSignal)
    return listeners.length > countBystanders()
  }
}

/** What `signal-exit` says of itself: how many of its copies listen to every signal. */
interface SignalExit {
  readonly count?: unknown
}

/**
 * Listeners of the package `signal-exit` (in many others), which leave the signal to whoever else listens: they handle it
 * only where they are alone.
 */
function countBystanders(): number {
  const { [Symbol.for('signal-exit emitter')]: emitter } = globalThis as Record<
    symbol,
    SignalExit | undefined
  >
  const { __signal_exit_emitter__: older } = process as { readonly __signal_exit_emitter__?: SignalExit }
  return (Number(emitter?.count) || 0) + (Number(older?.count) || 0)
}
