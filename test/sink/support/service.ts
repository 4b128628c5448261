import { EventEmitter, once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { decodeBlock, decodeProcess, decodeStream } from '../../../src/telemetry/decode/decoder.ts'
import type { Certificate } from '../../support/certificate.ts'

export interface ReceivedRequest {
  readonly index: number
  readonly url: string
  readonly insert: string
  /** Id of the process, stream or block. */
  readonly id: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Number of the connection it came over, from 1. */
  readonly connection: number
  /** Milliseconds of `performance.now()`. */
  readonly atMs: number
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * How a request is answered: with a status, or by whatever is done with the response and its socket (`undefined`: not by
 * us).
 */
export type Respond = (
  request: ReceivedRequest,
  response: ServerResponse,
) => number | Answer | undefined | Promise<number | Answer | undefined>

/** A real HTTP server that records what it is sent. */
export class Service implements AsyncDisposable {
  readonly requests: ReceivedRequest[] = []
  readonly server: Server
  readonly sockets: Set<Socket> = new Set()
  connections = 0
  respond: Respond
  readonly #events = new EventEmitter()
  readonly #scheme: 'http' | 'https'

  constructor(respond: Respond, certificate?: Certificate) {
    this.respond = respond
    this.#scheme = certificate === undefined ? 'http' : 'https'
    const onRequest = (message: IncomingMessage, response: ServerResponse): void => {
      const chunks: Buffer[] = []
      message.on('error', () => {})
      response.on('error', () => {})
      message.on('data', (chunk: Buffer) => chunks.push(chunk))
      message.on('end', async () => {
        const body = Buffer.concat(chunks)
        const insert = message.url?.split('/insert_')[1]?.split('?')[0] ?? ''
        const request: ReceivedRequest = {
          index: this.requests.length,
          url: message.url ?? '',
          insert,
          id: idOf(insert, body),
          headers: message.headers,
          body,
          connection: (message.socket as Socket & { number?: number }).number ?? 0,
          atMs: performance.now(),
        }
        this.requests.push(request)
        this.#events.emit('request')
        const answer = await this.respond(request, response)
        if (answer === undefined) return
        const {
          status,
          headers,
          body: text,
        } = typeof answer === 'number' ? { status: answer } : (answer as Answer)
        response.writeHead(status, headers).end(text)
      })
    }
    this.server = certificate ? createHttpsServer({ ...certificate }, onRequest) : createServer(onRequest)
    this.server.on('connection', (socket) => {
      Object.assign(socket, { number: ++this.connections })
      this.sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.sockets.delete(socket))
    })
    this.server.keepAliveTimeout = 60_000
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  get url(): string {
    const { address, family } = this.server.address() as AddressInfo
    return `${this.#scheme}://${family === 'IPv6' ? `[${address}]` : address}:${this.port}`
  }

  async listen(port = 0, host = '127.0.0.1'): Promise<this> {
    this.server.listen(port, host)
    await once(this.server, 'listening')
    return this
  }

  /** Stops listening and resets every connection. */
  async close(): Promise<void> {
    if (!this.server.listening) return
    const closed = once(this.server, 'close')
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  /** Resolves once the requests so far satisfy the condition. */
  async until(condition: (requests: readonly ReceivedRequest[]) => boolean): Promise<void> {
    while (!condition(this.requests)) await once(this.#events, 'request')
  }

  /** Resolves once every connection is closed, which is for the other side to do. */
  async idle(): Promise<void> {
    for (const socket of this.sockets) await once(socket, 'close')
  }

  of(insert: string): ReceivedRequest[] {
    return this.requests.filter((request) => request.insert === insert)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** @param certificate - With it, the service speaks https. */
export function startService(respond: Respond = () => 200, certificate?: Certificate): Promise<Service> {
  return new Service(respond, certificate).listen()
}

function idOf(insert: string, body: Buffer): string {
  if (insert === 'process') return decodeProcess(body).processId
  if (insert === 'stream') return decodeStream(body).streamId
  if (insert === 'block') return decodeBlock(body).blockId
  return ''
}
