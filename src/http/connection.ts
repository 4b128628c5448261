import type { Socket } from 'node:net'
import type { buildConnector, Client, Dispatcher } from 'undici'
import { errorMessage } from '../model/error-message.ts'
import { TransportError, type UploadResponse } from './http-response.ts'
import type { ProxyRoute } from './proxy.ts'
import { ResponseHandler, transportError } from './response-handler.ts'
import { withoutTracing } from './suppress-tracing.ts'

export type Undici = typeof import('undici')

export interface ConnectionOptions {
  /** Scheme, host and port of the service. */
  readonly origin: string
  readonly proxy: ProxyRoute | undefined
  /** Limit of making a connection, in milliseconds. */
  readonly connectTimeoutMs: number
}

export interface PostRequest {
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/**
 * Sockets idle for this long are closed: servers and balancers close idle ones after 5 s and more, and a request that
 * crosses such a close is lost. The reference sink's value.
 */
const IDLE_MS = 2_000
/** A socket used for longer is not kept, so that uploads follow a balancer's changes. */
const MAX_SOCKET_AGE_MS = 60_000

/** What a socket fails with that the other side closed: on one that was used before, that is the idle race. */
const RESET_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/**
 * One keep-alive connection for one request at a time. Its sockets never keep the process alive: whoever waits for a
 * delivery holds the process himself.
 */
export class Connection {
  readonly #undici: Undici
  readonly #options: ConnectionOptions
  #dispatcher: Dispatcher | undefined
  /** Open or opening, proxies' included. */
  readonly #sockets: Set<Socket> = new Set()
  #connects = 0
  #connectedAt = 0
  #staleRetries = 0

  constructor(undici: Undici, options: ConnectionOptions) {
    this.#undici = undici
    this.#options = options
  }

  /** Requests repeated at once since the server had closed the kept connection. */
  get staleRetries(): number {
    return this.#staleRetries
  }

  /**
   * Sends one request and waits for its answer, until the signal ends it.
   *
   * @throws {@link TransportError} when there is no answer.
   */
  async post(request: PostRequest, signal: AbortSignal): Promise<UploadResponse> {
    const connects = this.#connects
    try {
      return await this.#send(request, signal)
    } catch (error) {
      const reused = connects > 0 && connects === this.#connects
      if (!reused || signal.aborted || !isReset(error)) throw error
      // Safe for a POST: the item has an id and the server ignores a second copy.
      this.#staleRetries++
      return await this.#send(request, signal)
    }
  }

  /** Destroys the sockets; resolves once they are closed. The connection can be used again. */
  async close(): Promise<void> {
    const dispatcher = this.#dispatcher
    this.#dispatcher = undefined
    const sockets = [...this.#sockets]
    const closed = sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', resolve)))
    await dispatcher?.destroy().catch(() => {}) // it fails only for requests that have been given up already
    for (const socket of sockets) socket.destroy()
    await Promise.all(closed)
  }

  #send(request: PostRequest, signal: AbortSignal): Promise<UploadResponse> {
    return new Promise<UploadResponse>((resolve, reject) => {
      const handler = new ResponseHandler(
        (response) => {
          signal.removeEventListener('abort', abort)
          resolve(response)
        },
        (error) => {
          signal.removeEventListener('abort', abort)
          reject(error)
        },
      )
      const abort = (): void => {
        handler.abort(
          new TransportError(errorMessage(signal.reason), { sent: handler.sent, cause: signal.reason }),
        )
        // A connection that is still being made cannot be aborted through its request.
        void this.close()
      }
      if (signal.aborted) {
        abort()
        return
      }
      signal.addEventListener('abort', abort, { once: true })
      try {
        withoutTracing(() => this.#dispatch(request, handler))
      } catch (error) {
        handler.abort(transportError(error, false))
      }
    })
  }

  #dispatch({ path, headers, body }: PostRequest, handler: ResponseHandler): void {
    this.#dispatcher ??= this.#createDispatcher()
    const { origin } = this.#options
    const reset = this.#connects > 0 && performance.now() - this.#connectedAt > MAX_SOCKET_AGE_MS
    this.#dispatcher.dispatch({ origin, path, method: 'POST', headers, body, reset }, handler)
  }

  #createDispatcher(): Dispatcher {
    const { origin, proxy, connectTimeoutMs: timeout } = this.#options
    const { Client, ProxyAgent, buildConnector } = this.#undici
    const options: Client.Options = {
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS, // whatever longer time the server offers
      keepAliveTimeoutThreshold: 1_000,
      headersTimeout: 0, // the request's signal is the only limit
      bodyTimeout: 0,
    }
    const client = (to: string | URL, connect: buildConnector.connector): Client =>
      new Client(to, { ...options, connect })
    if (proxy === undefined) return client(origin, this.#counted(this.#watched(buildConnector({ timeout }))))
    return new ProxyAgent({
      uri: proxy.url.href,
      proxyTls: { timeout },
      requestTls: { timeout },
      clientFactory: (to, { connect }: ConnectOption) => client(to, this.#watched(connect)),
      factory: (to, { connect }: ConnectOption) => client(to, this.#counted(connect)),
    })
  }

  /** Makes a connector's sockets known and keeps them from holding the process. */
  #watched(connector: buildConnector.connector): buildConnector.connector {
    return (options, callback) => {
      // undici's connectors return the socket they are opening, though their type does not say so.
      const socket: unknown = connector(options, callback)
      if (isSocket(socket)) this.#adopt(socket)
    }
  }

  /** Counts the sockets that carry requests, which tells a new one from a kept one. */
  #counted(connector: buildConnector.connector): buildConnector.connector {
    return (options, callback) => {
      connector(options, (...[error, socket]) => {
        if (error !== null) {
          callback(withoutCode(error), null)
          return
        }
        this.#connects++
        this.#connectedAt = performance.now()
        this.#adopt(socket)
        callback(null, socket)
      })
    }
  }

  #adopt(socket: Socket): void {
    if (this.#sockets.has(socket)) return
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.unref()
    socket.ref = () => socket // undici refs the socket of a running request
  }
}

interface ConnectOption {
  readonly connect: buildConnector.connector
}

function isSocket(value: unknown): value is Socket {
  return typeof value === 'object' && value !== null && 'unref' in value && 'destroy' in value
}

/**
 * A connection that the proxy closed instead of making a tunnel fails with `UND_ERR_SOCKET`, upon which undici makes
 * another one at once, thousands a second until the request is given up. Only the code tells it to.
 */
function withoutCode(error: Error): Error {
  if (!('code' in error) || error.code !== 'UND_ERR_SOCKET') return error
  return new Error(error.message, { cause: error })
}

function isReset(error: unknown): boolean {
  return error instanceof TransportError && RESET_CODES.has((error.cause as NodeJS.ErrnoException).code)
}
