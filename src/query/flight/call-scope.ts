import { defaultMaxListeners, getMaxListeners, setMaxListeners } from 'node:events'

/** As many calls may share a signal before Node warns of a leak; `fetch` does the same. */
const MAX_CALLS_PER_SIGNAL = 1_500

/**
 * Everything that may end a call from this side: the caller's signal, the client's end, the time limit. `dispose` forgets
 * it all, so that a signal that outlives many calls gathers nothing.
 */
export class CallScope {
  readonly #controller = new AbortController()
  readonly #sources: readonly AbortSignal[]
  #timer: NodeJS.Timeout | undefined

  constructor(
    sources: readonly (AbortSignal | undefined)[],
    timeoutMs: number | undefined,
    late: () => Error,
  ) {
    this.#sources = sources.filter((source) => source !== undefined)
    for (const source of this.#sources) {
      if (source.aborted) this.#controller.abort(source.reason)
      else this.#listen(source)
    }
    if (timeoutMs !== undefined) this.#timer = setTimeout(() => this.#controller.abort(late()), timeoutMs)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  dispose(): void {
    clearTimeout(this.#timer)
    for (const source of this.#sources) source.removeEventListener('abort', this.#abort)
  }

  #listen(source: AbortSignal): void {
    if (getMaxListeners(source) === defaultMaxListeners) setMaxListeners(MAX_CALLS_PER_SIGNAL, source)
    source.addEventListener('abort', this.#abort, { once: true })
  }

  readonly #abort = (event: Event): void => this.#controller.abort((event.target as AbortSignal).reason)
}
