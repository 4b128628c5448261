/**
 * Waits for a promise that others may share, no longer than the signal lets it: then its reason is thrown and the promise
 * goes on unheard.
 */
export function waitFor<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    // Attached in any case: the promise may be rejected after this wait is over, and nobody else may look at it.
    const heard = Promise.resolve(promise).then(resolve, reject)
    void heard.then(() => signal.removeEventListener('abort', abort))
  })
}
