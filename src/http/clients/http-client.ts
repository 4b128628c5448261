import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Clock } from '../../model/runtime/clock.ts'
import { claimRequest } from '../../model/runtime/own-work.ts'
import { type HttpRequest, transportError } from '../answer/http-response.ts'
import { hostOf, portOf } from '../host.ts'
import { type ProxyRoute, proxyHeaders } from '../proxy/proxy.ts'
import { openTunnel } from '../proxy/tunnel.ts'
import { type Opening, type PooledRequestArgs, SocketPool } from './sockets.ts'
import { withoutTracing } from './suppress-tracing.ts'

export interface HttpClientOptions {
  /** Scheme, host and port of the service; the rest does not matter. */
  readonly service: URL
  readonly proxy?: ProxyRoute | undefined
  readonly clock: Clock
  /** Whether an open connection keeps the process alive. @defaultValue `false`: whoever waits for an answer does */
  readonly holds?: boolean | undefined
}

/** What a socket fails with that the other side closed: on one that was used before, that is the idle race. */
const RESET_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE'])

/**
 * Requests to one service by Node's own HTTP client, over keep-alive connections of its own. `node:http` rather than a
 * library: it works in every bundle, test runner and permission model, and needs no timers that a host could have faked.
 *
 * Requests are made by the class, not by `http.request`, which instrumentations replace: ours are not to be seen by them.
 */
export class HttpClient {
  readonly #options: HttpClientOptions
  #pool: SocketPool | undefined
  #staleRetries = 0

  constructor(options: HttpClientOptions) {
    this.#options = options
  }

  /** Requests repeated at once since the server had closed the kept connection. */
  get staleRetries(): number {
    return this.#staleRetries
  }

  /**
   * Sends a request and waits for the headers of its answer; interim answers are passed over, redirects are not followed.
   * Whoever gets the answer reads its body or destroys it. The caller bounds how many requests run at once, and so the
   * connections.
   *
   * @param signal - Ends the request, also while its answer is being read.
   * @throws `TransportError` when there is no answer.
   */
  async send(request: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> {
    for (;;) {
      const attempt = new Attempt(signal)
      try {
        return await withoutTracing(() =>
          attempt.run((opening) => this.#open(request, opening), request.body),
        )
      } catch (error) {
        if (!attempt.isStale || signal.aborted) throw error
        // Safe for a POST: an item has an id and the server ignores a second copy. Each time costs a kept connection, so
        // that it ends with a new one.
        this.#staleRetries++
      }
    }
  }

  /** Destroys the connections; resolves once they are closed. The client can be used again. */
  async close(): Promise<void> {
    await this.#pool?.close()
  }

  #open({ method, path, headers, body }: HttpRequest, opening: Opening): ClientRequest {
    const { service, proxy } = this.#options
    // Through a proxy, https goes by a tunnel; http is asked of the proxy itself (RFC 9112 section 3.2.2).
    const isAbsolute = proxy !== undefined && service.protocol === 'http:'
    const { url } = isAbsolute ? proxy : { url: service }
    this.#pool ??= this.#createPool(url)
    const { ClientRequest } = process.getBuiltinModule('node:http')
    const args: PooledRequestArgs = {
      agent: this.#pool.agent,
      protocol: url.protocol,
      host: hostOf(url),
      port: portOf(url),
      method,
      path: isAbsolute ? `${service.origin}${path}` : path,
      setHost: false,
      opening,
    }
    const request = new ClientRequest(args as never) // the types know URLs only
    claimRequest(request)
    // Not among the arguments: with NODE_DEBUG=http Node prints those, and there are credentials in these.
    const all = {
      host: service.host,
      ...(isAbsolute ? proxyHeaders(proxy.url) : undefined),
      ...headers,
      ...(body && { 'content-length': String(body.byteLength) }),
    }
    for (const [name, value] of Object.entries(all)) request.setHeader(name, value)
    return request
  }

  #createPool(url: URL): SocketPool {
    const { service, proxy, clock, holds = false } = this.#options
    const tunnel = proxy && service.protocol === 'https:' ? openTunnel(service, proxy) : undefined
    return new SocketPool({ secure: url.protocol === 'https:', holds, clock, open: tunnel })
  }
}

/** One request over one socket. */
class Attempt {
  readonly #signal: AbortSignal
  readonly #opening: Opening = {}
  #sent = false
  #isStale = false

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** Whether it failed since the server had closed the kept connection it was sent over. */
  get isStale(): boolean {
    return this.#isStale
  }

  run(open: (opening: Opening) => ClientRequest, body: Uint8Array | undefined): Promise<IncomingMessage> {
    const signal = this.#signal
    return new Promise<IncomingMessage>((resolve, reject) => {
      const fail = (error: unknown): void => reject(transportError(error, this.#sent))
      if (signal.aborted) {
        fail(signal.reason)
        return
      }
      let request: ClientRequest
      try {
        request = open(this.#opening)
      } catch (error) {
        fail(error) // a header that cannot be sent
        return
      }
      const abort = (): void => {
        fail(signal.reason)
        this.#opening.socket?.destroy()
        request.destroy()
      }
      signal.addEventListener('abort', abort, { once: true })
      request.once('socket', () => {
        this.#sent = true
      })
      request.once('response', resolve)
      request.on('error', (error: NodeJS.ErrnoException) => {
        this.#isStale = request.reusedSocket && RESET_CODES.has(error.code)
        fail(error)
      })
      request.once('close', () => {
        signal.removeEventListener('abort', abort)
        fail(new Error('the connection was closed without an answer')) // no news after one
      })
      request.end(body)
    })
  }
}
