import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface ConnectionsOptions {
  /** Connections at a time. */
  readonly max: number
  /** Gets a line when connections are turned away, at most once a minute. */
  readonly warn: (message: string) => void
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

const WARN_INTERVAL_MS = 60_000

/**
 * Bounds a server's connections, and ends them gracefully. Beyond the bound, whoever has been idle the longest gives way
 * to a new connection: connections that only stand there keep nobody out. Node's own `maxConnections` turns the new one
 * away, and its `closeIdleConnections()` takes a connection that has not sent a request yet for a busy one.
 */
export class Connections {
  readonly #server: Server
  readonly #options: ConnectionsOptions
  /** Requests under way by connection; those without are in the order in which they fell idle. */
  readonly #requests = new Map<Socket, number>()
  #isClosing = false
  #warnedAt = Number.NEGATIVE_INFINITY

  constructor(server: Server, options: ConnectionsOptions) {
    this.#server = server
    this.#options = options
    server.on('connection', (socket) => {
      this.#requests.set(socket, 0)
      socket.once('close', () => this.#requests.delete(socket))
      if (this.#requests.size > options.max) this.#makeRoom(socket)
    })
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#requests.set(socket, (this.#requests.get(socket) ?? 0) + 1)
      response.once('close', () => {
        const left = (this.#requests.get(socket) ?? 1) - 1
        if (this.#requests.delete(socket)) this.#requests.set(socket, left)
        if (this.#isClosing && left === 0) socket.destroySoon()
      })
    })
  }

  /** Takes no more connections, ends those without a request, and waits for the others, up to the limit. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const [socket, requests] of this.#requests) if (requests === 0) socket.destroy()
    const timer = setTimeout(() => {
      for (const socket of this.#requests.keys()) socket.destroy()
    }, timeoutMs)
    await closed
    clearTimeout(timer)
  }

  #makeRoom(newest: Socket): void {
    const { max, warn, clock } = this.#options
    let victim = newest
    for (const [socket, requests] of this.#requests) {
      if (requests > 0) continue
      victim = socket
      break
    }
    victim.destroy()
    if (victim !== newest || clock() - this.#warnedAt < WARN_INTERVAL_MS) return
    this.#warnedAt = clock()
    warn(`all ${max} connections are in use: new ones are turned away (option maxConnections)`)
  }
}
