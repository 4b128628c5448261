/** The promise's result, unless the signal aborts first: then its reason is thrown and the promise goes on unheard. */
export function abortable<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    void Promise.resolve(promise)
      .then(resolve, reject)
      .then(() => signal.removeEventListener('abort', abort))
  })
}

/** Runs `fn` with a signal that aborts after `timeoutMs`, or with `controller`; the timer never keeps the process alive. */
export async function withTimeout<T>(
  timeoutMs: number,
  what: string,
  controller: AbortController,
  fn: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => controller.abort(new Error(`${what} after ${timeoutMs} ms`)), timeoutMs)
  timer.unref()
  try {
    return await fn(controller.signal)
  } finally {
    clearTimeout(timer)
  }
}
