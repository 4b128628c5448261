import { platformClock } from '../../model/runtime/clock.ts'
import type { TelemetryGuard } from '../telemetry-guard.ts'
import { recordFatal } from './fatal.ts'
import { ProcessEnd } from './process-end.ts'

/**
 * Delivers what was recorded on the ways out that every process has: the event loop runs dry, `process.exit()`, an
 * uncaught exception, an unhandled rejection. None of them changes what the process does or its exit code.
 *
 * @returns Removes the hooks.
 */
export function installExitFlush(guard: TelemetryGuard): () => void {
  const budget = guard.exitBudget
  let drainedUntilMs = Number.NEGATIVE_INFINITY
  const end = new ProcessEnd({
    onDry: () => {
      end.wrapOutermost()
      const nowMs = platformClock.now()
      const timeoutMs = budget.beforeLastMs()
      // Once an end: a listener of `beforeExit` that records something would have us wait for it for ever.
      if (!guard.hasNews || timeoutMs === 0 || nowMs < drainedUntilMs) return false
      drainedUntilMs = nowMs + 2 * guard.shutdownTimeoutMs
      void guard.drain(timeoutMs).then(() => {
        if (budget.beforeLastMs() > 0) budget.reset() // somebody may fill the loop again
      })
      return true
    },
    // What there is goes out now: who knows what the other listeners do.
    onExiting: () => guard.drainSync(budget.beforeLastMs()),
    onExit: () => guard.shutdownSync({ timeoutMs: budget.remainingMs() }),
  })
  // The monitor is told and decides nothing: the process ends, or goes on, as it would without telemetry.
  const onUncaught = (error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void => {
    end.wrapOutermost()
    recordFatal(error, origin === 'unhandledRejection' ? 'unhandled rejection' : 'uncaught exception')
  }
  // Libraries that wrap `process.emit` add listeners as they do.
  const onListener = (): void => queueMicrotask(() => end.wrapOutermost())

  process.on('uncaughtExceptionMonitor', onUncaught)
  process.on('newListener', onListener)
  return () => {
    process.off('uncaughtExceptionMonitor', onUncaught)
    process.off('newListener', onListener)
    end.stop()
  }
}
