import type { Dispatcher } from 'undici'
import { isError } from '../model/kinds.ts'
import { TransportError, type UploadResponse } from './http-response.ts'

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2]

/** The answers have no body worth reading; more than this is not waited for. */
const MAX_BODY_BYTES = 64 * 1024
/** How long a body may take once the headers are there. */
const MAX_BODY_MS = 1_000

/**
 * Takes one answer off undici. The status decides, so an answer counts from its headers on, whatever becomes of its body:
 * that is read, within limits, only so that the connection can be used again.
 */
export class ResponseHandler implements Dispatcher.DispatchHandler {
  readonly #resolve: (response: UploadResponse) => void
  readonly #reject: (error: TransportError) => void
  #controller: Dispatcher.DispatchController | undefined
  #response: UploadResponse | undefined
  #bodyBytes = 0
  #bodyTimer: NodeJS.Timeout | undefined
  #done = false

  constructor(resolve: (response: UploadResponse) => void, reject: (error: TransportError) => void) {
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
    else this.#bodyTimer = setTimeout(() => this.#answer(controller), MAX_BODY_MS).unref()
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
    clearTimeout(this.#bodyTimer)
    settle()
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** Names the fault by its code: system messages such as `connect ECONNREFUSED 10.0.0.1:80` repeat the address. */
export function transportError(error: unknown, sent: boolean): TransportError {
  return new TransportError(describe(error), { sent, cause: error })
}

function describe(error: unknown): string {
  if (!isError(error)) return String(error)
  // A host with several addresses fails with all their errors at once, and no message of its own.
  const { code, errors } = error as NodeJS.ErrnoException & { readonly errors?: readonly unknown[] }
  if (Array.isArray(errors) && errors.length > 0) return [...new Set(errors.map(describe))].join(', ')
  if (code === undefined) return error.message
  return code.startsWith('UND_ERR') || error.message.startsWith('Proxy') ? error.message : code
}
