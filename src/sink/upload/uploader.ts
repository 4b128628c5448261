import type { DecoratedRequest } from '../../auth/request-decorator.ts'
import { HeaderList } from '../../http/answer/header-list.ts'
import type { UploadResponse } from '../../http/answer/http-response.ts'
import type { PostRequest, UploadClient } from '../../http/clients/upload-client.ts'
import type { Endpoint } from '../../http/endpoint.ts'
import { withTimeout } from '../../http/with-timeout.ts'
import type { Clock } from '../../model/runtime/clock.ts'
import { errorMessage } from '../../model/text/error-message.ts'
import type { TelemetryEncoder } from '../../telemetry/encoder.ts'
import { SpoolReadError } from '../spool/spool.ts'
import { classifyDecoratorError, classifyResponse, classifyTransportError, type Outcome } from './outcome.ts'
import type { Credentials } from './upload-credentials.ts'
import type { DescriptionBody, UploadItem } from './upload-item.ts'

/** The service's limit of a request body: 100 MiB (`DefaultBodyLimit` of the reference server). Above it the answer is 413. */
const MAX_BODY_BYTES = 104_857_600
/** The server looks at no content type; the user agent is for whoever traces or filters requests. */
const BASE_HEADERS = { 'content-type': 'application/cbor', 'user-agent': 'micromegas-node' } as const

export interface UploaderOptions {
  readonly endpoint: Endpoint
  readonly credentials: Credentials
  readonly transport: UploadClient
  readonly encoder: TelemetryEncoder
  readonly clock: Clock
  /** Limit of a request, and of a call of the decorator, in milliseconds. */
  readonly timeoutMs: number
  /** Told what is known of the process and the stream of a block on disk, before the block is sent. */
  readonly onDescribed: (descriptions: readonly DescriptionBody[]) => void
}

/** Makes single attempts: encode, decorate, post, classify. */
export class Uploader {
  readonly #options: UploaderOptions
  readonly #active: Set<AbortController> = new Set()
  #encoding: Promise<unknown> = Promise.resolve()
  #stopped = false

  constructor(options: UploaderOptions) {
    this.#options = options
  }

  /** Never rejects. */
  async attempt(item: UploadItem): Promise<Outcome> {
    const controller = new AbortController()
    this.#active.add(controller)
    try {
      const outcome = await this.#attempt(item, controller)
      return this.#stopped && outcome.kind === 'retry' ? { kind: 'aborted' } : outcome
    } catch (error) {
      // Nothing below should throw. What does all the same may be the item's doing: then it is set aside in the end.
      return { kind: 'retry', detail: errorMessage(error), retryAfterMs: undefined, suspicion: 1 }
    } finally {
      this.#active.delete(controller)
    }
  }

  /** The body of an item in memory, when nothing can be waited for. @throws What encoding throws. */
  encodeNow(item: UploadItem): Uint8Array {
    return item.encodeSync(this.#options.encoder)
  }

  /**
   * The request of an item, ready to be sent, when nothing can be waited for.
   *
   * @throws What encoding throws.
   */
  requestNow(item: UploadItem): PostRequest {
    const { endpoint, credentials } = this.#options
    const body = this.encodeNow(item)
    const request = newRequest(endpoint, item, body, new HeaderList(BASE_HEADERS))
    credentials.decorateNow(request)
    return wireForm(request)
  }

  /** Aborts what is under way. */
  stop(): void {
    this.#stopped = true
    for (const controller of this.#active) controller.abort(new Error('the sink is shut down'))
  }

  async #attempt(item: UploadItem, controller: AbortController): Promise<Outcome> {
    let body: Uint8Array
    try {
      body = await this.encode(item)
    } catch (error) {
      const detail = errorMessage(error)
      if (error instanceof SpoolReadError) return { kind: 'drop', reason: 'spool_corrupt', detail }
      if (item.isStored) return { kind: 'retry', detail, retryAfterMs: undefined, suspicion: 0.5 }
      return { kind: 'drop', reason: 'encoding', detail }
    }
    if (body.byteLength > MAX_BODY_BYTES) {
      return { kind: 'drop', reason: 'too_large', detail: `the request has ${body.byteLength} bytes` }
    }
    const first = await this.#send(item, body, controller)
    if (first.outcome.kind !== 'unauthorized' || !this.#options.credentials.configured) return first.outcome
    // The decorator may have better credentials by now: one more try, at once.
    const failure = await this.#reject(first.request, controller)
    return failure ?? (await this.#send(item, body, controller)).outcome
  }

  /**
   * The body of an item. One at a time: compression uses libuv's few threads, which the host's files and name look-ups
   * need too.
   *
   * @throws What encoding throws, and {@link SpoolReadError}.
   */
  encode(item: UploadItem): Promise<Uint8Array> {
    const { encoder, onDescribed } = this.#options
    const body = this.#encoding.then(() => item.encode(encoder, onDescribed))
    this.#encoding = body.catch(() => {}) // its own caller hears of it
    return body
  }

  async #send(
    item: UploadItem,
    body: Uint8Array,
    controller: AbortController,
  ): Promise<{ readonly outcome: Outcome; readonly request: DecoratedRequest }> {
    const { endpoint, credentials, transport, timeoutMs, clock } = this.#options
    const request = newRequest(endpoint, item, body, new HeaderList(BASE_HEADERS))
    try {
      await withTimeout(clock, timeoutMs, 'no credentials', controller, (signal) =>
        credentials.decorate(request, signal),
      )
    } catch (error) {
      return { outcome: classifyDecoratorError(error), request }
    }
    let response: UploadResponse
    try {
      response = await withTimeout(clock, timeoutMs, 'no answer', controller, (signal) =>
        transport.post(wireForm(request), signal),
      )
    } catch (error) {
      return { outcome: classifyTransportError(error), request }
    }
    return { outcome: classifyResponse(response, clock.wallMs()), request }
  }

  async #reject(request: DecoratedRequest, controller: AbortController): Promise<Outcome | undefined> {
    const { credentials, timeoutMs, clock } = this.#options
    try {
      await withTimeout(clock, timeoutMs, 'no new credentials', controller, (signal) =>
        credentials.rejected(request, signal),
      )
      return undefined
    } catch (error) {
      return classifyDecoratorError(error)
    }
  }
}

function newRequest(
  endpoint: Endpoint,
  item: UploadItem,
  body: Uint8Array,
  headers: Headers,
): DecoratedRequest {
  // The URL is a copy: a decorator may add to its query.
  return { method: 'POST', url: new URL(endpoint.insertUrls[item.insert]), headers, body }
}

function wireForm({ url, headers, body }: DecoratedRequest): PostRequest {
  return { method: 'POST', path: url.pathname + url.search, headers: Object.fromEntries(headers), body }
}
