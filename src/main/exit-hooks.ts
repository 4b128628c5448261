import { inspect } from 'node:util'
import { timeoutSignal } from '../model/durations.ts'
import { Level } from '../model/level.ts'
import { recordLog } from '../tracing/record-log.ts'
import { renderValue } from '../tracing/render-value.ts'
import type { TelemetryGuard } from './telemetry-guard.ts'

/** Target of what the SDK records about the process it runs in. */
const PROCESS_TARGET = 'process'
const MAX_ERROR_CHARS = 65_536

/** Records an error that ends the process. */
export function recordFatal(error: unknown, what: string): void {
  recordLog(Level.Fatal, PROCESS_TARGET, `${what}: ${renderValue(error, MAX_ERROR_CHARS)}`)
}

/**
 * Delivers what was recorded on the ways out that every process has: the event loop runs dry, `process.exit()`, an
 * uncaught exception, an unhandled rejection. None of them changes what the process does or its exit code.
 *
 * @returns Removes the hooks.
 */
export function installExitHooks(guard: TelemetryGuard): () => void {
  const budget = guard.exitBudget
  let flushedEvents = 0
  // The loop may run dry, be filled again by somebody's hook, and run dry again.
  const onBeforeExit = (): void => {
    const recorded = countRecorded(guard)
    if (recorded === flushedEvents || budget.remainingMs() === 0) return
    flushedEvents = recorded
    void guard.flush({ signal: timeoutSignal(budget.remainingMs()) }).catch(() => {
      // The only error is that telemetry has been shut down meanwhile, by whoever did so on purpose.
    })
  }
  const onExit = (): void => guard.shutdownSync({ timeoutMs: budget.remainingMs() })
  // The monitor is told and decides nothing: the process ends, or goes on, as it would without telemetry.
  const onUncaught = (error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void =>
    recordFatal(error, origin === 'unhandledRejection' ? 'unhandled rejection' : 'uncaught exception')

  process.on('beforeExit', onBeforeExit)
  process.on('exit', onExit)
  process.on('uncaughtExceptionMonitor', onUncaught)
  return () => {
    process.off('beforeExit', onBeforeExit)
    process.off('exit', onExit)
    process.off('uncaughtExceptionMonitor', onUncaught)
  }
}

/** Shows an error on the standard error stream the way Node shows one that nobody caught. */
export function printFatal(error: unknown): void {
  process.stderr.write(`${inspect(error)}\n`)
}

function countRecorded(guard: TelemetryGuard): number {
  return Object.values(guard.stats.recording).reduce((sum, stream) => sum + stream.recorded, 0)
}
