import type { Clock } from '../../model/runtime/clock.ts'
import type { UploadResponse } from '../answer/http-response.ts'
import type { ProxyRoute } from '../proxy/proxy.ts'
import { platformIsFaked } from './event-loop.ts'
import { NodeUploadClient } from './node-upload-client.ts'
import { loadUndici, type Undici, UndiciClient } from './undici-client.ts'
import type { PostRequest, UploadClient } from './upload-client.ts'

export interface TransportOptions {
  /** Scheme, host and port of the service; the rest does not matter. */
  readonly service: URL
  readonly proxy: ProxyRoute | undefined
  readonly clock: Clock
  /** @defaultValue loads the installed one */
  readonly loadUndici?: (() => Promise<Undici>) | undefined
}

/**
 * Posts requests by undici, or where that cannot be loaded or used, by Node's own HTTP client: in a bundle without it, in a
 * test runner that replaces timers, through a proxy (undici asks for a tunnel for plain http as well, and takes an interim
 * answer for it), and for a server that sends `100 Continue` unasked, which undici refuses.
 */
export class Transport implements UploadClient {
  /** Why undici could not be loaded; undefined where it was, or is not needed. Never rejects. */
  readonly loadError: Promise<unknown>
  readonly #node: UploadClient
  readonly #loading: Promise<UploadClient>
  #undici: UploadClient | undefined
  #usesUndici: boolean

  /** Loads undici early, so that no request of the host's own has to wait for it. */
  constructor({ service, proxy, clock, loadUndici: load = loadUndici }: TransportOptions) {
    this.#node = new NodeUploadClient({ service, proxy, clock })
    this.#usesUndici = proxy === undefined
    const loaded = this.#usesUndici ? load() : undefined
    this.loadError = Promise.resolve(loaded).then(
      () => undefined,
      (error: unknown) => error ?? new Error('unknown'),
    )
    this.#loading = Promise.resolve(loaded).then(
      (undici) => {
        if (undici !== undefined) this.#undici = new UndiciClient(undici, service.origin, clock)
        return this.#undici ?? this.#node
      },
      () => this.#node,
    )
  }

  get staleRetries(): number {
    return this.#node.staleRetries + (this.#undici?.staleRetries ?? 0)
  }

  async post(request: PostRequest, signal: AbortSignal): Promise<UploadResponse> {
    // undici takes the global timers, those of a host's tests too.
    if (!this.#usesUndici || platformIsFaked()) return this.#node.post(request, signal)
    const client = await this.#loading
    try {
      return await client.post(request, signal)
    } catch (error) {
      if (!refusedInterimAnswer(error) || signal.aborted) throw error
      this.#usesUndici = false
      return this.#node.post(request, signal)
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#node.close(), this.#undici?.close()])
  }
}

function refusedInterimAnswer(error: unknown): boolean {
  const { cause } = error as { readonly cause?: NodeJS.ErrnoException }
  return cause?.code === 'UND_ERR_SOCKET' && cause.message === 'bad response'
}
