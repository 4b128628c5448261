/** Waits for a promise that others share, no longer than the caller's own signal lets it; the promise itself goes on. */
export function waitFor<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    // Attached in any case: the promise may be rejected after this wait is over, and nobody else may look at it.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
