import type { Clock } from '../model/runtime/clock.ts'

/** Runs `fn` with the controller's signal, which is aborted after `timeoutMs`. */
export async function withTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  what: string,
  controller: AbortController,
  fn: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timer = clock.after(timeoutMs, () => controller.abort(new Error(`${what} after ${timeoutMs} ms`)))
  try {
    return await fn(controller.signal)
  } finally {
    timer.cancel()
  }
}
