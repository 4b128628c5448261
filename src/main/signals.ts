import { getEventListeners } from 'node:events'
import { constants } from 'node:os'
import { timeoutSignal } from '../model/durations.ts'
import type { TelemetryGuard } from './telemetry-guard.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type EndSignal = (typeof SIGNALS)[number]

/**
 * Ends the process on SIGINT, SIGTERM and SIGHUP as it would end without a handler, only delivered: the abort signal is
 * raised, whoever heeds it gets the shutdown timeout to finish, telemetry is shut down, and the exit code is the one that
 * shells show for the signal. It exits rather than raising the signal once more, which would do nothing to the first
 * process of a container.
 */
export class SignalHandling {
  readonly #abort: AbortController
  readonly #guard: TelemetryGuard
  /** Whether `main` can know of the signal: one that takes no argument cannot. */
  readonly #mainHeeds: boolean
  #mainRuns = true
  #first: EndSignal | undefined

  constructor(abort: AbortController, guard: TelemetryGuard, mainHeeds: boolean) {
    this.#abort = abort
    this.#guard = guard
    this.#mainHeeds = mainHeeds
    for (const signal of SIGNALS) process.on(signal, () => this.#onSignal(signal))
  }

  /**
   * To be called when `main` has returned.
   *
   * @returns The exit code to end with now, where a signal has asked the process to end and nobody else handles it.
   */
  mainReturned(): number | undefined {
    this.#mainRuns = false
    return this.#first !== undefined && isOurs(this.#first) ? exitCodeOf(this.#first) : undefined
  }

  #onSignal(signal: EndSignal): void {
    if (this.#first !== undefined) {
      if (!isOurs(signal)) return
      this.#guard.abandon()
      process.exit(exitCodeOf(signal))
    }
    this.#first = signal
    const heeded = this.#isHeeded()
    const { shutdownTimeoutMs } = this.#guard
    this.#abort.abort(new Error(`received ${signal}`))
    if (!isOurs(signal)) {
      // The application handles the signal and ends when it sees fit; what is there by now is safe already.
      void this.#guard.flush({ signal: timeoutSignal(shutdownTimeoutMs) }).catch(ignoreClosed)
      return
    }
    process.exitCode = exitCodeOf(signal) // for a loop that runs dry once the signal is heeded
    const end = (): void => void this.#guard.shutdown().then(() => process.exit(exitCodeOf(signal)))
    if (heeded) setTimeout(end, shutdownTimeoutMs).unref()
    else end()
  }

  #isHeeded(): boolean {
    if (getEventListeners(this.#abort.signal, 'abort').length > 0) return true
    return this.#mainRuns && this.#mainHeeds // it may poll `signal.aborted`
  }
}

/** A flush fails for one reason: telemetry was shut down on purpose, and there is nothing to flush. */
function ignoreClosed(): void {}

/** Whether no handler of the application's own is there for the signal. */
function isOurs(signal: EndSignal): boolean {
  return process.listenerCount(signal) === 1
}

function exitCodeOf(signal: EndSignal): number {
  return 128 + constants.signals[signal]
}
