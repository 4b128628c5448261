import type { Clock } from '../model/runtime/clock.ts'
import { toTimerMs } from '../model/text/durations.ts'

/** Waits for the promise, but no longer than the time or the signal allow; the process is kept alive meanwhile. */
export async function waitUntil(
  clock: Clock,
  promise: Promise<unknown>,
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted) return
  await new Promise<void>((resolve) => {
    // Without a limit the timer is there to hold the process: nothing else does.
    const timer =
      timeoutMs === undefined
        ? clock.every(Number.POSITIVE_INFINITY, () => {}, { holds: true })
        : clock.after(toTimerMs(timeoutMs, 0), () => finish(), { holds: true })
    const finish = (): void => {
      timer.cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    signal?.addEventListener('abort', finish, { once: true })
    promise.then(finish, finish)
  })
}
