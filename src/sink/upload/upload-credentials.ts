import type {
  DecoratedRequest,
  RequestDecorator,
  RequestDecoratorFactory,
} from '../../auth/request-decorator.ts'
import { waitFor } from '../../http/wait-for.ts'
import { isPromiseLike } from '../../model/kinds.ts'

/** Puts a sink's credentials on its requests: the one caller of the request decorator. */
export class Credentials {
  readonly #factory: RequestDecoratorFactory | undefined
  #decorator: RequestDecorator | PromiseLike<RequestDecorator> | undefined
  /** What the decorator put into the last request, for the end of the process. */
  #lastHeaders: readonly (readonly [name: string, value: string])[] = []

  /**
   * Calls the factory, so that a configuration it refuses fails the start.
   *
   * @throws What the factory throws. What an asynchronous one rejects with counts as a failure to decorate, and the next
   * attempt calls it again.
   */
  constructor(factory: RequestDecoratorFactory | undefined) {
    this.#factory = factory
    void this.#make()
  }

  /** False: requests go without credentials. */
  get configured(): boolean {
    return this.#factory !== undefined
  }

  /** @throws What the decorator throws, or the signal's reason. */
  async decorate(request: DecoratedRequest, signal: AbortSignal): Promise<void> {
    const decorator = this.#make()
    if (decorator === undefined) return
    const ready = isPromiseLike(decorator) ? await waitFor(decorator, signal) : decorator
    const before = new Map(request.headers)
    const decorating = ready.decorate(request, signal)
    if (decorating !== undefined) await waitFor(decorating, signal)
    this.#lastHeaders = added(request.headers, before)
  }

  /**
   * Adds credentials when nothing can be waited for: those that the decorator gives at once, or else those of the last
   * request.
   */
  decorateNow(request: DecoratedRequest): void {
    const decorator = this.#decorator
    const before = new Map(request.headers)
    try {
      if (decorator === undefined || isPromiseLike(decorator)) throw new Error('there is no decorator yet')
      const decorating = decorator.decorate(request, new AbortController().signal)
      if (decorating === undefined) return
      Promise.resolve(decorating).catch(() => {}) // whatever comes of it comes too late
      const names = new Set(added(request.headers, before).map(([name]) => name))
      if (names.size > 0 && this.#lastHeaders.every(([name]) => names.has(name))) return
    } catch {
      // Old credentials are better than none.
    }
    for (const [name, value] of this.#lastHeaders) request.headers.set(name, value)
  }

  /** Reports a request that the server answered with 401. @throws What the decorator throws, or the signal's reason. */
  async rejected(request: DecoratedRequest, signal: AbortSignal): Promise<void> {
    const decorator = await this.#decorator
    const forgetting = decorator?.onRejected?.(request, 401)
    if (forgetting !== undefined) await waitFor(forgetting, signal)
  }

  /** The sink is done: what the decorator does in the background is to end. */
  close(): void {
    const decorator = this.#decorator
    if (decorator === undefined) return
    if (isPromiseLike(decorator)) decorator.then(closeQuietly, () => {})
    else closeQuietly(decorator)
  }

  #make(): RequestDecorator | PromiseLike<RequestDecorator> | undefined {
    if (this.#decorator !== undefined || this.#factory === undefined) return this.#decorator
    const made = this.#factory()
    if (!isPromiseLike(made)) {
      this.#decorator = made
      return made
    }
    this.#decorator = made
    made.then(
      (decorator) => {
        this.#decorator = decorator
      },
      () => {
        this.#decorator = undefined // seen by whoever waits for it
      },
    )
    return made
  }
}

function added(headers: Headers, before: ReadonlyMap<string, string>): [string, string][] {
  return [...headers].filter(([name, value]) => before.get(name) !== value)
}

function closeQuietly(decorator: RequestDecorator): void {
  try {
    decorator.close?.()
  } catch {
    // A shutdown goes on, and nobody could do anything about it.
  }
}
