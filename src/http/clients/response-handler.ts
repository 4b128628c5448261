import type { Dispatcher } from 'undici'
import type { Clock, Timer } from '../../model/runtime/clock.ts'
import {
  MAX_BODY_BYTES,
  MAX_BODY_MS,
  type TransportError,
  transportError,
  type UploadResponse,
} from '../answer/http-response.ts'

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2]

/**
 * Takes one answer off undici. The status decides, so an answer counts from its headers on, whatever becomes of its body:
 * that is read, within limits, only so that the connection can be used again.
 */
export class ResponseHandler implements Dispatcher.DispatchHandler {
  readonly #clock: Clock
  readonly #resolve: (response: UploadResponse) => void
  readonly #reject: (error: TransportError) => void
  #controller: Dispatcher.DispatchController | undefined
  #response: UploadResponse | undefined
  #bodyBytes = 0
  #bodyTimer: Timer | undefined
  #done = false

  constructor(
    clock: Clock,
    resolve: (response: UploadResponse) => void,
    reject: (error: TransportError) => void,
  ) {
    this.#clock = clock
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Gives up: the connection is destroyed. */
  abort(error: TransportError): void {
    this.#finish(() => this.#reject(error))
    this.#controller?.abort(error)
  }

  /** True once the request was handed to a socket. */
  get sent(): boolean {
    return this.#controller !== undefined
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#done) controller.abort(new Error('aborted before it was sent'))
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200) return // an interim answer: the real one follows
    this.#response = { status, retryAfter: single(headers['retry-after']), date: single(headers.date) }
    // A backend that fails is not asked again over the same connection, which a balancer may have pinned to it.
    if (status >= 500) this.#answer(controller)
    else this.#bodyTimer = this.#clock.after(MAX_BODY_MS, () => this.#answer(controller))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bodyBytes += chunk.byteLength
    if (this.#bodyBytes > MAX_BODY_BYTES) this.#answer(controller)
  }

  onResponseEnd(): void {
    this.#answer(undefined)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#response !== undefined) this.#answer(undefined)
    else this.#finish(() => this.#reject(transportError(error, this.sent)))
  }

  /** @param unread - Given when the rest of the answer is not read: its connection is destroyed. */
  #answer(unread: Dispatcher.DispatchController | undefined): void {
    const response = this.#response
    if (response !== undefined) this.#finish(() => this.#resolve(response))
    unread?.abort(new Error('the rest of the answer is not read'))
  }

  #finish(settle: () => void): void {
    if (this.#done) return
    this.#done = true
    this.#bodyTimer?.cancel()
    settle()
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
