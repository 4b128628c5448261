import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../model/runtime/clock.ts'
import { MAX_BODY_BYTES, MAX_BODY_MS, type UploadResponse } from '../answer/http-response.ts'
import { HttpClient, type HttpClientOptions } from './http-client.ts'
import type { PostRequest, UploadClient } from './upload-client.ts'

/**
 * Posts requests by Node's own HTTP client. The status decides, so an answer counts from its headers on, whatever
 * becomes of its body: that is read, within limits, only so that the connection can be used again.
 */
export class NodeUploadClient implements UploadClient {
  readonly #client: HttpClient
  readonly #clock: Clock

  constructor(options: HttpClientOptions) {
    this.#client = new HttpClient(options)
    this.#clock = options.clock
  }

  /** Requests repeated at once since the server had closed the kept connection. */
  get staleRetries(): number {
    return this.#client.staleRetries
  }

  /**
   * Sends one request. The caller bounds how many run at once, and so the connections.
   *
   * @throws {@link TransportError} when there is no answer before the signal ends it.
   */
  async post(request: PostRequest, signal: AbortSignal): Promise<UploadResponse> {
    const answer = await this.#client.send(request, signal)
    await this.#discardBody(answer)
    const { statusCode: status = 0, headers } = answer
    return { status, retryAfter: headers['retry-after'], date: headers.date }
  }

  /** Destroys all connections; resolves once their sockets are closed. */
  close(): Promise<void> {
    return this.#client.close()
  }

  /** Resolves once the connection can be used again, or will not be. */
  #discardBody(answer: IncomingMessage): Promise<void> {
    // A backend that fails is not asked again over the same connection, which a balancer may have pinned to it.
    if ((answer.statusCode ?? 0) >= 500) {
      answer.on('error', () => {}) // that it is cut is no news
      answer.destroy()
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      let bytes = 0
      const giveUp = (): void => {
        answer.destroy()
        end()
      }
      const timer = this.#clock.after(MAX_BODY_MS, giveUp)
      const end = (): void => {
        timer.cancel()
        resolve()
      }
      answer.on('error', end)
      answer.once('close', end)
      answer.on('data', (chunk: Uint8Array) => {
        bytes += chunk.byteLength
        if (bytes > MAX_BODY_BYTES) giveUp()
      })
    })
  }
}
