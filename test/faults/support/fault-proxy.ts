import { EventEmitter, once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A request on its way, and what can be done to it. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** `process`, `stream` or `block`. */
  readonly insert: string
  /** Whether the connection has carried a request before. */
  readonly reused: boolean
  /** Milliseconds of `performance.now()`. */
  readonly atMs: number = performance.now()
  readonly #upstreamUrl: string
  #body: Promise<Buffer> | undefined

  constructor(request: IncomingMessage, response: ServerResponse, upstreamUrl: string, reused: boolean) {
    this.request = request
    this.response = response
    this.reused = reused
    this.insert = /insert_(\w+)/.exec(request.url ?? '')?.[1] ?? ''
    this.#upstreamUrl = upstreamUrl
  }

  /** The whole body of the request. */
  body(): Promise<Buffer> {
    this.#body ??= (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of this.request) chunks.push(chunk)
      return Buffer.concat(chunks)
    })()
    return this.#body
  }

  /** Hands the request to the server and returns its answer, of which the client knows nothing yet. */
  async forward(): Promise<Answer> {
    const { method, url, headers } = this.request
    const body = await this.body()
    const onward = httpRequest(new URL(url ?? '/', this.#upstreamUrl), {
      method,
      headers: { ...headers, connection: 'close' },
      agent: false,
    })
    onward.end(body)
    const [response] = (await once(onward, 'response')) as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }
  }

  /** Answers the client without asking the server. */
  async answer(status: number, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.body()
    this.response.writeHead(status, headers).end()
  }

  /** Does what there would be without a fault. */
  async pass(): Promise<void> {
    const { status, body } = await this.forward()
    this.response.writeHead(status).end(body)
  }

  /** Ends the connection with a reset. */
  reset(): void {
    this.request.socket.resetAndDestroy()
  }
}

/** What becomes of a request. */
export type Behaviour = (exchange: Exchange) => void | Promise<void>

export const pass: Behaviour = (exchange) => exchange.pass()

/** Stands between the service and the server, and breaks what passes as it is told. */
export class FaultProxy implements AsyncDisposable {
  behaviour: Behaviour = pass
  readonly exchanges: Exchange[] = []
  readonly #upstreamUrl: string
  readonly #server: Server
  readonly #sockets: Map<Socket, { requests: number }> = new Map()
  readonly #events: EventEmitter = new EventEmitter()
  #port = 0
  #frozen = false

  private constructor(upstreamUrl: string) {
    this.#upstreamUrl = upstreamUrl
    this.#server = createServer((request, response) => void this.#handle(request, response))
    this.#server.keepAliveTimeout = 60_000
    this.#server.requestTimeout = 0
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.set(socket, { requests: 0 })
      socket.on('error', () => {}) // resets are what this is for
      socket.on('close', () => this.#sockets.delete(socket))
      if (this.#frozen) socket.pause()
    })
  }

  static async start(upstreamUrl: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstreamUrl)
    await proxy.accept()
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Listens, on the same port as before. */
  async accept(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Refuses connections from now on, and resets those that are there. */
  async refuse(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.reset()
    await closed
  }

  /** Resets every connection. */
  reset(): void {
    for (const socket of this.#sockets.keys()) socket.resetAndDestroy()
  }

  /**
   * Leaves the connections half open, as a cable that is pulled does: nothing is read or sent any more, and nobody is
   * told. New ones are taken by the kernel, and stay as silent.
   */
  freeze(): void {
    this.#frozen = true
    for (const socket of this.#sockets.keys()) socket.pause()
  }

  /** New connections work again; the frozen ones never will. */
  thaw(): void {
    this.#frozen = false
  }

  /** Resolves once the requests so far satisfy the condition. */
  async until(condition: (exchanges: readonly Exchange[]) => boolean): Promise<void> {
    while (!condition(this.exchanges)) await once(this.#events, 'request')
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request
    const connection = this.#sockets.get(socket)
    if (this.#frozen || connection === undefined) return
    request.on('error', () => {})
    response.on('error', () => {})
    const exchange = new Exchange(request, response, this.#upstreamUrl, connection.requests++ > 0)
    this.exchanges.push(exchange)
    this.#events.emit('request')
    try {
      await this.behaviour(exchange)
    } catch {
      socket.destroy() // the client has gone, or the server has
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.refuse()
  }
}
