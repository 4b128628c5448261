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
  /** Requests in {@link WINDOW_MS} from which on undici is worth its memory; 0 loads it at once. @defaultValue `200` */
  readonly busyRequests?: number | undefined
}

/**
 * Twenty requests a second: some 400,000 metrics a second. undici then takes less processor time for each, but 20 MiB and 30 ms
 * until the first, which a service that sends little feels more.
 */
const BUSY_REQUESTS = 200
const WINDOW_MS = 10_000

/**
 * Posts requests by Node's own HTTP client, and by undici where there are many. Where undici cannot be loaded or used, Node's
 * client goes on: in a bundle without it, in a test runner that replaces timers, through a proxy (undici asks for a tunnel for
 * plain http as well, and takes an interim answer for it), and for a server that sends `100 Continue` unasked, which undici
 * refuses.
 */
export class Transport implements UploadClient {
  /** Why undici could not be loaded; pending as long as it was not needed, or is there. */
  readonly loadError: Promise<unknown>
  readonly #options: TransportOptions
  readonly #node: UploadClient
  readonly #busyRequests: number
  #tellLoadError: (error: unknown) => void = () => {}
  #loading: Promise<void> | undefined
  #undici: UploadClient | undefined
  #usesUndici: boolean
  #windowStartMs = 0
  #requests = 0

  constructor(options: TransportOptions) {
    const { service, proxy, clock, busyRequests = BUSY_REQUESTS } = options
    this.#options = options
    this.#busyRequests = busyRequests
    this.#node = new NodeUploadClient({ service, proxy, clock })
    this.#usesUndici = proxy === undefined
    this.loadError = new Promise((resolve) => {
      this.#tellLoadError = resolve
    })
    if (busyRequests === 0 && this.#usesUndici) this.#load()
  }

  get staleRetries(): number {
    return this.#node.staleRetries + (this.#undici?.staleRetries ?? 0)
  }

  async post(request: PostRequest, signal: AbortSignal): Promise<UploadResponse> {
    // undici takes the global timers, those of a host's tests too.
    if (!this.#usesUndici || platformIsFaked()) return this.#node.post(request, signal)
    if (this.#undici === undefined) {
      if (this.#loading === undefined && this.#isBusy()) this.#load()
      // Those that asked for it at once wait for it.
      if (this.#busyRequests === 0) await this.#loading
    }
    try {
      return await (this.#undici ?? this.#node).post(request, signal)
    } catch (error) {
      if (!refusedInterimAnswer(error) || signal.aborted) throw error
      this.#usesUndici = false
      return this.#node.post(request, signal)
    }
  }

  #isBusy(): boolean {
    const now = this.#options.clock.now()
    if (now - this.#windowStartMs > WINDOW_MS) {
      this.#windowStartMs = now
      this.#requests = 0
    }
    this.#requests += 1
    return this.#requests > this.#busyRequests
  }

  #load(): void {
    const { service, clock, loadUndici: load = loadUndici } = this.#options
    this.#loading = load().then(
      (undici) => {
        this.#undici = new UndiciClient(undici, service.origin, clock)
      },
      (error: unknown) => this.#tellLoadError(error ?? new Error('unknown')),
    )
  }

  async close(): Promise<void> {
    await Promise.all([this.#node.close(), this.#undici?.close()])
  }
}

function refusedInterimAnswer(error: unknown): boolean {
  const { cause } = error as { readonly cause?: NodeJS.ErrnoException }
  return cause?.code === 'UND_ERR_SOCKET' && cause.message === 'bad response'
}
