import { Connection, type ConnectionOptions, type PostRequest, type Undici } from './connection.ts'
import type { UploadResponse } from './http-response.ts'

/** Posts requests over a few connections of its own, made when needed. Never uses undici's global dispatcher. */
export class Transport {
  readonly #options: ConnectionOptions
  readonly #all: Connection[] = []
  readonly #idle: Connection[] = []
  #undici: Promise<Undici> | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /** Loads undici, which takes about 100 ms, once: early, so that no request of the host's own has to wait for it. */
  load(): Promise<Undici> {
    this.#undici ??= import('undici')
    return this.#undici
  }

  /** Requests repeated at once since the server had closed the kept connection. */
  get staleRetries(): number {
    return this.#all.reduce((sum, connection) => sum + connection.staleRetries, 0)
  }

  /**
   * Sends one request. The caller bounds how many run at once, and so the connections.
   *
   * @throws {@link TransportError} when there is no answer before the signal ends it.
   */
  async post(request: PostRequest, signal: AbortSignal): Promise<UploadResponse> {
    const undici = await this.load()
    const connection = this.#idle.pop() ?? this.#add(new Connection(undici, this.#options)) // last used first
    try {
      return await connection.post(request, signal)
    } finally {
      this.#idle.push(connection)
    }
  }

  /** Destroys all connections; resolves once their sockets are closed. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map((connection) => connection.close()))
  }

  #add(connection: Connection): Connection {
    this.#all.push(connection)
    return connection
  }
}
