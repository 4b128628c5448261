import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Ends a server's connections gracefully. Node's own `closeIdleConnections()` takes a connection that has not sent a
 * request yet for a busy one.
 */
export class Connections {
  readonly #server: Server
  /** Requests under way by connection. */
  readonly #requests = new Map<Socket, number>()
  #isClosing = false

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => {
      this.#requests.set(socket, 0)
      socket.once('close', () => this.#requests.delete(socket))
    })
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#requests.set(socket, (this.#requests.get(socket) ?? 0) + 1)
      response.once('close', () => {
        const left = (this.#requests.get(socket) ?? 1) - 1
        if (this.#requests.has(socket)) this.#requests.set(socket, left)
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
}
