import type { Socket } from 'node:net'
import { readStatus } from '../../http/answer/response-head.ts'
import type { PostRequest } from '../../http/clients/upload-client.ts'
import { hostOf, portOf } from '../../http/host.ts'
import { type ProxyRoute, proxyHeaders } from '../../http/proxy/proxy.ts'
import type { Clock } from '../../model/runtime/clock.ts'
import { classifyResponse } from '../upload/outcome.ts'
import { fullJitterMs } from '../upload/shared-backoff.ts'
import type { BlockingDelivery } from './exit-delivery.ts'
import { EXIT_BACKOFF, MAX_EXIT_ATTEMPT_MS } from './exit-job.ts'

export interface SocketDeliveryOptions {
  /** http. */
  readonly service: URL
  readonly proxy: ProxyRoute | undefined
  /** Of the service, or of the proxy; there is no waiting for a name to be resolved. */
  readonly address: string
  readonly timeoutMs: number
  readonly clock: Clock
}

/** What a socket that is not ready says. */
const NOT_YET: ReadonlySet<unknown> = new Set([
  'EAGAIN',
  'EWOULDBLOCK',
  'ENOTCONN',
  'EINPROGRESS',
  'EALREADY',
])
const POLL_MS = 1
const MAX_HEAD_BYTES = 64 * 1024

/**
 * Sends requests while this thread is blocked, where no other thread may be started (Node's permission model): it opens a
 * connection, whose first step Node takes at once, and then writes to and reads from the descriptor as from a file. One
 * request after the other, plain http, and not on Windows, whose sockets are no descriptors.
 */
export class SocketDelivery implements BlockingDelivery {
  readonly #options: SocketDeliveryOptions
  readonly #deadlineMs: number
  readonly #statuses: number[] = []
  readonly #sleeper: Int32Array = new Int32Array(new SharedArrayBuffer(4))
  #socket: Socket | undefined
  #descriptor = -1
  #failures = 0

  constructor(options: SocketDeliveryOptions) {
    this.#options = options
    this.#deadlineMs = options.clock.now() + options.timeoutMs
  }

  get expired(): boolean {
    return this.#options.clock.now() >= this.#deadlineMs
  }

  send(request: PostRequest): void {
    const index = this.#statuses.push(0) - 1
    while (!this.expired) {
      const status = this.#attempt(request)
      if (status !== undefined) {
        this.#failures = 0
        this.#statuses[index] = status
        return
      }
      const { clock } = this.#options
      const delayMs = fullJitterMs(EXIT_BACKOFF, this.#failures++, clock.random)
      this.#sleep(Math.min(delayMs, this.#deadlineMs - clock.now()))
    }
  }

  wait(): number[] {
    return this.#statuses
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  /** The status of an answer that is the last word; undefined when another attempt is worth while. */
  #attempt(request: PostRequest): number | undefined {
    const { clock } = this.#options
    const untilMs = Math.min(this.#deadlineMs, clock.now() + MAX_EXIT_ATTEMPT_MS)
    try {
      this.#open()
      this.#write(Buffer.from(this.#headOf(request), 'latin1'), untilMs)
      this.#write(request.body, untilMs)
      const { status, isReusable } = this.#read(untilMs)
      if (!isReusable) this.close()
      const response = { status, retryAfter: undefined, date: undefined }
      return classifyResponse(response, clock.wallMs()).kind === 'retry' ? undefined : status
    } catch {
      this.close() // refused, reset, or too slow
      return undefined
    }
  }

  #open(): void {
    if (this.#socket !== undefined) return
    const { service, proxy, address } = this.#options
    const { Socket, isIP } = process.getBuiltinModule('node:net')
    const url = proxy?.url ?? service
    const socket = new Socket()
    this.#socket = socket
    socket.on('error', () => {}) // seen by whoever reads
    socket.unref()
    socket.connect({
      host: hostOf(url),
      port: portOf(url),
      autoSelectFamily: false,
      // With a function that answers at once, the connection is begun before connect() returns. A name that is an address
      // would not be looked up.
      ...(isIP(hostOf(url)) !== 0 && { host: 'address.invalid' }),
      lookup: (_host, _options, callback) => callback(null, address, isIP(address)),
    })
    const { _handle: handle } = socket as unknown as { readonly _handle: { readonly fd?: number } | null }
    this.#descriptor = handle?.fd ?? -1
    if (this.#descriptor < 0) throw new Error('the socket has no descriptor')
  }

  #headOf({ method, path, headers, body }: PostRequest): string {
    const { service, proxy } = this.#options
    const all = {
      host: service.host,
      connection: 'keep-alive',
      ...(proxy && proxyHeaders(proxy.url)),
      ...headers,
      'content-length': String(body.byteLength),
    }
    const target = proxy === undefined ? path : `${service.origin}${path}`
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
  }

  #write(bytes: Uint8Array, untilMs: number): void {
    const { writeSync } = process.getBuiltinModule('node:fs')
    for (let at = 0; at < bytes.byteLength; ) {
      at += this.#whenReady(untilMs, () => writeSync(this.#descriptor, bytes, at))
    }
  }

  #read(untilMs: number): { readonly status: number; readonly isReusable: boolean } {
    const { readSync } = process.getBuiltinModule('node:fs')
    const chunk = Buffer.allocUnsafe(MAX_HEAD_BYTES)
    let text = ''
    for (;;) {
      const count = this.#whenReady(untilMs, () => readSync(this.#descriptor, chunk))
      text += chunk.toString('latin1', 0, count)
      const answer = readStatus(text, count === 0)
      if (answer !== undefined) return answer
      if (text.length > MAX_HEAD_BYTES) throw new Error('the answer is too long')
    }
  }

  #whenReady(untilMs: number, operate: () => number): number {
    for (;;) {
      try {
        return operate()
      } catch (error) {
        if (!NOT_YET.has((error as NodeJS.ErrnoException).code)) throw error
        if (this.#options.clock.now() >= untilMs) throw error
        this.#sleep(POLL_MS)
      }
    }
  }

  #sleep(delayMs: number): void {
    Atomics.wait(this.#sleeper, 0, 0, Math.max(0, delayMs))
  }
}
