import { isTelemetryError } from '../model/errors.ts'
import { Level } from '../model/level.ts'
import { timeoutSignal } from '../model/text/durations.ts'
import { dispatch } from '../tracing/dispatch.ts'
import { printError, printFatal, recordFatal } from './ends/fatal.ts'
import { MainSignals } from './ends/main-signals.ts'
import { type Started, startTelemetry } from './init-telemetry.ts'
import type { TelemetryGuard } from './telemetry-guard.ts'
import type { TelemetryOptions } from './telemetry-options.ts'

export type MicromegasMainOptions = TelemetryOptions

/** What `main` is given. */
export interface MainContext {
  /** Aborted when a signal such as SIGTERM or SIGINT asks the process to end; its reason names the signal. */
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
 *   for (a server that listens); what is new is delivered when the event loop runs dry.
 * - `main` returns a number: what was recorded is delivered and the process ends with that exit code.
 * - `main` throws or rejects: the error is logged as fatal with its stack, shown, and the process ends with exit code 1.
 * - SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR2 (SIGBREAK on Windows): `signal` is aborted. A `main` that runs has the
 *   shutdown timeout to return; one that takes no argument cannot know of the signal and has none. Then what was recorded
 *   is delivered and the process ends with the exit code that shells show for the signal: 143, 130, 129, 131, 140. Once
 *   `main` has returned, everything takes one shutdown timeout at most. Where the application handles the signal itself, it
 *   decides when to end. A further signal ends the process at once, half a second after the first at the earliest.
 * - `process.exit()`, uncaught exceptions and unhandled rejections end the process as ever, after delivery.
 *
 * What listeners of `exit` and `beforeExit` record is delivered as well. A configuration that cannot be used is shown in
 * full and the process ends with exit code 1 before `main` runs.
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
  const abort = new AbortController()
  const { guard, handlesSignals } = startOrExit(options)
  const { exitBudget } = guard
  const signals = handlesSignals ? new MainSignals(abort, guard, main.length > 0) : undefined
  const result = await run(main, { signal: abort.signal, telemetry: guard })
  const signalCode = signals?.mainReturned()
  const exitCode = result ?? signalCode
  if (exitCode !== undefined) {
    await guard.drain(exitBudget.beforeLastMs())
    process.exit(exitCode)
  }
  await guard.flush({ signal: timeoutSignal(exitBudget.beforeLastMs()) }).catch(ignoreClosed)
  // Where time ran out and nothing keeps the process alive, its end must not take as long again.
  if (exitBudget.beforeLastMs() > 0 && signals?.isEnding !== true) exitBudget.reset()
}

/** Runs the service; returns the exit code that it asks for. One that fails ends the process. */
async function run(main: Main, context: MainContext): Promise<number | undefined> {
  try {
    const result = await main(context)
    return Number.isInteger(result) ? (result as number) : undefined
  } catch (error) {
    return isAbort(error, context.signal) ? undefined : fail(error, context.telemetry)
  }
}

/** Whether the error is what waiting with the signal given to `main` ends with, and so no failure. */
function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
}

async function fail(error: unknown, guard: TelemetryGuard): Promise<never> {
  const shown = dispatch.showsLogs
  recordFatal(error, 'main failed')
  await guard.drain(guard.exitBudget.beforeLastMs())
  if (!shown) printFatal(error)
  process.exit(1)
}

/** A flush fails for one reason: `main` has shut telemetry down itself. */
function ignoreClosed(): void {}

function startOrExit(options: MicromegasMainOptions): Started {
  try {
    return startTelemetry(options, { localSinkMaxLevel: Level.Debug })
  } catch (error) {
    if (!isTelemetryError(error)) throw error
    printError(`micromegas: ${error.message}`)
    process.exit(1)
  }
}
