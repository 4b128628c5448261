import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { errorMonitor } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { builtin } from '../../model/runtime/builtins.ts'
import type { LateSpan } from '../../tracing/spans/open-span.ts'
import { harmless } from '../patching/harmless.ts'
import { wrapMethod } from '../patching/wrap-method.ts'
import { endCalled, hostOf, isPassedOver } from './client-span.ts'
import { recordHttp2Clients } from './http2/clients.ts'
import { beginCall } from './requests.ts'
import { TRACEPARENT, traceHeadersOf } from './trace-parent.ts'

/** Kept on the prototype, so that the ESM and the CommonJS build of this package change it once together. */
const WRAPPED = Symbol.for('micromegas.http.client')

/** What undici tells of a request, Node's `fetch` included. */
interface UndiciRequest {
  readonly origin?: unknown
  readonly method: string
  readonly path: string
  addHeader(name: string, value: string): unknown
}

/**
 * Records each request that the process makes by `node:http`, `node:https`, `node:http2`, `fetch` or undici: a span below that of the
 * caller, the metric `http.client.request.duration`, and the header `traceparent` where the caller set none.
 *
 * @returns Ends it.
 */
export function recordClientRequests(): () => void {
  const undici = new UndiciRequests()
  const restores = [wrapClientRequest(), recordHttp2Clients()]
  undici.start()
  return () => {
    undici.stop()
    for (const restore of restores) restore()
  }
}

interface HeaderWriter {
  _implicitHeader: (this: ClientRequest) => void
}

/**
 * A request of `node:http` and `node:https` is met where its headers are about to be written: the one place, in all versions
 * of Node, that comes after the caller has set them and in the caller's context. One whose headers are given as an array, and
 * so written at once, is passed over.
 */
function wrapClientRequest(): () => void {
  // an import of it would load undici besides: tens of milliseconds
  const prototype = builtin('node:http').ClientRequest.prototype as unknown as HeaderWriter
  return wrapMethod(
    prototype,
    '_implicitHeader',
    (original, isOn) =>
      function _implicitHeader(this: ClientRequest): void {
        if (isOn() && !isPassedOver()) beginHarmlessly(this)
        original.call(this)
      },
    WRAPPED,
  )
}

const beginHarmlessly = harmless(begin)

function begin(request: ClientRequest): void {
  const { method, path, host } = request
  const span = beginCall(method, host)
  if (!request.hasHeader(TRACEPARENT)) {
    for (const [name, value] of traceHeadersOf(span)) request.setHeader(name, value)
  }
  let response: IncomingMessage | undefined
  let failure: unknown
  request.prependOnceListener('response', (incoming: IncomingMessage) => {
    response = incoming
  })
  request.once(errorMonitor, (error: unknown) => {
    failure = error
  })
  const end = (): void =>
    endCalled(span, { method, address: host, path, status: response?.statusCode, error: failure })
  request.once('close', harmless(end))
}

/** By what it publishes; `fetch` is the undici within Node. */
class UndiciRequests {
  readonly #open = new WeakMap<
    object,
    { readonly span: LateSpan; readonly address: string; status?: number }
  >()
  readonly #listeners: readonly (readonly [string, ChannelListener])[] = [
    [
      'undici:request:create',
      harmless((message) => this.#begin((message as { request: UndiciRequest }).request)),
    ],
    [
      'undici:request:headers',
      harmless((message) => {
        const { request, response } = message as { request: object; response: { statusCode: number } }
        const open = this.#open.get(request)
        if (open !== undefined) open.status = response.statusCode
      }),
    ],
    [
      'undici:request:trailers',
      harmless((message) => this.#end((message as { request: UndiciRequest }).request)),
    ],
    [
      'undici:request:error',
      harmless((message) => {
        const { request, error } = message as { request: UndiciRequest; error: unknown }
        this.#end(request, error)
      }),
    ],
  ]

  start(): void {
    for (const [name, listener] of this.#listeners) subscribe(name, listener)
  }

  stop(): void {
    for (const [name, listener] of this.#listeners) unsubscribe(name, listener)
  }

  #begin(request: UndiciRequest): void {
    if (isPassedOver()) return
    const address = hostOf(String(request.origin))
    const span = beginCall(request.method, address)
    for (const [name, value] of traceHeadersOf(span)) request.addHeader(name, value)
    this.#open.set(request, { span, address })
  }

  #end(request: UndiciRequest, error?: unknown): void {
    const open = this.#open.get(request)
    if (open === undefined) return
    this.#open.delete(request)
    const { span, address, status } = open
    endCalled(span, { method: request.method, address, path: request.path, status, error })
  }
}
