import type { Socket } from 'node:net'
import type { buildConnector, Client } from 'undici'
import type { Clock } from '../../model/runtime/clock.ts'
import { loadInstalled } from '../../model/runtime/load-installed.ts'
import { errorMessage } from '../../model/text/error-message.ts'
import { TransportError, transportError, type UploadResponse } from '../answer/http-response.ts'
import { ResponseHandler } from './response-handler.ts'
import { IDLE_MS, MAX_SOCKET_AGE_MS } from './sockets.ts'
import { withoutTracing } from './suppress-tracing.ts'
import type { PostRequest, UploadClient } from './upload-client.ts'

/** The parts of undici that are used. */
export type Undici = Pick<typeof import('undici'), 'Client' | 'buildConnector'>

/**
 * Loads undici, which takes about 30 ms, in turns of some five.
 *
 * @throws What loading it throws, and where something else goes by its name, as in Bun.
 */
export async function loadUndici(): Promise<Undici> {
  const undici =
    process.versions.bun === undefined ? await loadParts() : await loadInstalled<Undici>('undici')
  const { Client, buildConnector } = undici
  if (typeof Client?.prototype?.dispatch !== 'function' || typeof buildConnector !== 'function') {
    throw new Error('what is installed under this name is not undici')
  }
  return undici
}

/** What the client needs, each after what it needs itself. */
const PARTS = [
  'core/errors',
  'core/util',
  'core/request',
  'dispatcher/dispatcher-base',
  'core/connect',
  'dispatcher/client-h2',
  'dispatcher/client-h1',
]

/**
 * By their own files: what else is in undici takes 60 to 80 ms more and 9 to 15 MiB. A version that has them elsewhere is
 * loaded whole.
 */
async function loadParts(): Promise<Undici> {
  try {
    for (const part of PARTS) await loadInstalled(`undici/lib/${part}.js`) // each in a turn of its own
    const [client, connector] = await Promise.all([
      loadInstalled<Undici['Client']>('undici/lib/dispatcher/client.js'),
      loadInstalled<Undici['buildConnector']>('undici/lib/core/connect.js'),
    ])
    return { Client: client, buildConnector: connector }
  } catch {
    return await loadInstalled<Undici>('undici')
  }
}

/** What a socket fails with that the other side closed: on one that was used before, that is the idle race. */
const RESET_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/** Requests by undici over keep-alive connections of its own, the last used first. Never its global dispatcher. */
export class UndiciClient implements UploadClient {
  readonly #undici: Undici
  readonly #origin: string
  readonly #clock: Clock
  readonly #all: Connection[] = []
  readonly #idle: Connection[] = []

  constructor(undici: Undici, origin: string, clock: Clock) {
    this.#undici = undici
    this.#origin = origin
    this.#clock = clock
  }

  get staleRetries(): number {
    return this.#all.reduce((sum, connection) => sum + connection.staleRetries, 0)
  }

  async post(request: PostRequest, signal: AbortSignal): Promise<UploadResponse> {
    const connection = this.#idle.pop() ?? this.#add()
    try {
      return await connection.post(request, signal)
    } finally {
      this.#idle.push(connection)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((connection) => connection.close()))
  }

  #add(): Connection {
    const connection = new Connection(this.#undici, this.#origin, this.#clock)
    this.#all.push(connection)
    return connection
  }
}

/**
 * One keep-alive connection for one request at a time. Its sockets never keep the process alive: whoever waits for a
 * delivery holds the process himself.
 */
class Connection {
  readonly #undici: Undici
  readonly #origin: string
  readonly #clock: Clock
  #client: Client | undefined
  /** Open or opening. */
  readonly #sockets: Set<Socket> = new Set()
  #connects = 0
  #connectedAtMs = 0
  #staleRetries = 0

  constructor(undici: Undici, origin: string, clock: Clock) {
    this.#undici = undici
    this.#origin = origin
    this.#clock = clock
  }

  get staleRetries(): number {
    return this.#staleRetries
  }

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
    const client = this.#client
    this.#client = undefined
    const sockets = [...this.#sockets]
    const closed = sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', resolve)))
    client?.destroy().catch(() => {}) // it fails only for requests that have been given up already
    for (const socket of sockets) socket.destroy()
    await Promise.all(closed)
  }

  #send(request: PostRequest, signal: AbortSignal): Promise<UploadResponse> {
    return new Promise<UploadResponse>((resolve, reject) => {
      const end = (settle: () => void): void => {
        signal.removeEventListener('abort', abort)
        settle()
      }
      const handler = new ResponseHandler(
        this.#clock,
        (response) => end(() => resolve(response)),
        (error) => end(() => reject(error)),
      )
      const abort = (): void => {
        const { reason } = signal
        handler.abort(new TransportError(errorMessage(reason), { sent: handler.sent, cause: reason }))
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
    this.#client ??= this.#createClient()
    const reset = this.#connects > 0 && this.#clock.now() - this.#connectedAtMs > MAX_SOCKET_AGE_MS
    this.#client.dispatch({ origin: this.#origin, path, method: 'POST', headers, body, reset }, handler)
  }

  #createClient(): Client {
    const { Client, buildConnector } = this.#undici
    return new Client(this.#origin, {
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS, // whatever longer time the server offers
      keepAliveTimeoutThreshold: 1_000,
      headersTimeout: 0, // the request's signal is the only limit
      bodyTimeout: 0,
      connect: this.#watched(buildConnector({ timeout: 0 })),
    })
  }

  /** Makes the sockets known, keeps them from holding the process, and tells a new one from a kept one. */
  #watched(connector: buildConnector.connector): buildConnector.connector {
    return (options, callback) => {
      // undici's connectors return the socket they are opening, though their type does not say so.
      const opening: unknown = connector(options, (...[error, socket]) => {
        if (error !== null) {
          callback(error, null)
          return
        }
        this.#connects++
        this.#connectedAtMs = this.#clock.now()
        this.#adopt(socket)
        callback(null, socket)
      })
      if (isSocket(opening)) this.#adopt(opening)
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

function isSocket(value: unknown): value is Socket {
  return typeof value === 'object' && value !== null && 'unref' in value && 'destroy' in value
}

function isReset(error: unknown): boolean {
  return error instanceof TransportError && RESET_CODES.has((error.cause as NodeJS.ErrnoException).code)
}
