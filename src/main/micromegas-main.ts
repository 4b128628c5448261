import { timeoutSignal } from '../model/durations.ts'
import { isTelemetryError } from '../model/errors.ts'
import { Level } from '../model/level.ts'
import { dispatch } from '../tracing/dispatch.ts'
import { warnOperator } from './diagnostics.ts'
import { printFatal, recordFatal } from './exit-hooks.ts'
import { startTelemetry } from './init-telemetry.ts'
import { SignalHandling } from './signals.ts'
import type { TelemetryGuard } from './telemetry-guard.ts'
import type { TelemetryOptions } from './telemetry-options.ts'

export interface MicromegasMainOptions extends TelemetryOptions {
  /** Whether SIGINT, SIGTERM and SIGHUP end the process by way of the signal given to `main`. @defaultValue `true` */
  readonly signalHandling?: boolean | undefined
}

/** What `main` is given. */
export interface MainContext {
  /** Aborted when SIGINT, SIGTERM or SIGHUP asks the process to end; its reason names the signal. */
  readonly signal: AbortSignal
  readonly telemetry: TelemetryGuard
}

/** The service itself. A number that it returns ends the process with that exit code. */
// biome-ignore lint/suspicious/noConfusingVoidType: a main that returns nothing is a `() => void`
export type Main = (context: MainContext) => Promise<number | void> | number | void

/**
 * Runs a service with telemetry, from start to every way out.
 *
 * - `main` returns nothing: telemetry is flushed and keeps running, as the process does while it has something to wait
 *   for (a server that listens); it is flushed again when the event loop runs dry.
 * - `main` returns a number: telemetry is shut down and the process ends with that exit code.
 * - `main` throws or rejects: the error is logged as fatal with its stack, shown, and the process ends with exit code 1.
 * - SIGINT, SIGTERM, SIGHUP: `signal` is aborted; when `main` has returned, or the shutdown timeout is over, or at once
 *   where nobody listens to `signal`, telemetry is shut down and the process ends with exit code 130, 143, 129. Where the
 *   application handles the signal itself, it decides when to end. A second signal ends the process at once.
 * - `process.exit()`, uncaught exceptions and unhandled rejections end the process as ever, after delivery.
 *
 * A configuration that cannot be used is shown in full and the process ends with exit code 1 before `main` runs.
 *
 * @example
 * ```ts
 * await micromegasMain(async ({ signal }) => {
 *   log.info('ready')
 *   await serve({ signal })
 * })
 * ```
 */
export async function micromegasMain(main: Main, options: MicromegasMainOptions = {}): Promise<void> {
  const { signalHandling = true, ...telemetryOptions } = options
  const guard = startOrExit(telemetryOptions)
  const abort = new AbortController()
  const signals = signalHandling ? new SignalHandling(abort, guard, main.length > 0) : undefined
  // biome-ignore lint/suspicious/noConfusingVoidType: as above
  let result: number | void
  try {
    result = await main({ signal: abort.signal, telemetry: guard })
  } catch (error) {
    const shown = dispatch.showsLogs
    recordFatal(error, 'main failed')
    await guard.shutdown()
    if (!shown) printFatal(error)
    process.exit(1)
  }
  const signalCode = signals?.mainReturned()
  const exitCode = Number.isInteger(result) ? (result as number) : signalCode
  if (exitCode !== undefined) {
    await guard.shutdown()
    process.exit(exitCode)
  }
  await guard.flush({ signal: timeoutSignal(guard.exitBudget.remainingMs()) }).catch(ignoreClosed)
  // Where time ran out and nothing keeps the process alive, its end must not take as long again.
  if (guard.exitBudget.remainingMs() > 0) guard.exitBudget.reset()
}

/** A flush fails for one reason: `main` has shut telemetry down itself. */
function ignoreClosed(): void {}

function startOrExit(options: TelemetryOptions): TelemetryGuard {
  try {
    return startTelemetry(options, { localSinkMaxLevel: Level.Debug })
  } catch (error) {
    if (!isTelemetryError(error)) throw error
    warnOperator(`micromegas: ${error.message}`)
    process.exit(1)
  }
}
