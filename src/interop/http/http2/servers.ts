import type { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { dispatch } from '../../../tracing/dispatch.ts'
import type { LateSpan } from '../../../tracing/spans/open-span.ts'
import { harmless } from '../../patching/harmless.ts'
import { wrapMethod } from '../../patching/wrap-method.ts'
import { beginRequest, callerOf } from '../requests.ts'
import { type RoutedRequest, routeOf, routesOf } from '../route.ts'
import { endServed, pathOf, type Recorded, STATE } from '../server-span.ts'
import { readTraceParent } from '../trace-parent.ts'
import { whenHttp2IsLoaded } from './module.ts'

/** Kept on the prototype, so that the ESM and the CommonJS build of this package change it once together. */
const WRAPPED = Symbol.for('micromegas.http2.server')

type Emit = (this: EventEmitter, ...args: Parameters<EventEmitter['emit']>) => boolean

/**
 * Records each stream that a server of `node:http2` answers, whether by its `stream` event or by the requests of its
 * compatibility API.
 *
 * @returns Ends it.
 */
export function recordHttp2Servers(): () => void {
  return whenHttp2IsLoaded(({ createServer, createSecureServer }) => {
    // the classes are not exported
    const restores = [createServer(), createSecureServer()].map(wrapEmit)
    return () => {
      for (const restore of restores) restore()
    }
  })
}

/** An HTTP/2 server tells of each stream by an event, whose listeners run within the span. */
function wrapEmit(server: EventEmitter): () => void {
  const prototype: { emit: Emit } = Object.getPrototypeOf(server)
  const inherits = !Object.hasOwn(prototype, 'emit')
  const parent: { emit: Emit } = Object.getPrototypeOf(prototype)
  return wrapMethod(
    prototype,
    'emit',
    (original, isOn) =>
      function emit(this: EventEmitter, ...args: Parameters<Emit>): boolean {
        // What it inherits may be wrapped by others meanwhile.
        const run = (): boolean => (inherits ? parent.emit : original).apply(this, args)
        if (!isOn()) return run()
        const [name, first, second] = args
        if (name === 'request') noteRequest(first, second)
        if (name !== 'stream') return run()
        let span: LateSpan | undefined
        harmless(() => {
          span = begin(first as ServerHttp2Stream, second as IncomingHttpHeaders)
        })()
        return span === undefined ? run() : dispatch.asyncSpans.run(span, run)
      },
    WRAPPED,
  )
}

/** What the route of a stream is written onto: the request of the compatibility API, once there is one. */
const answered = new WeakMap<ServerHttp2Stream, { readonly span: LateSpan; request: RoutedRequest }>()

function begin(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): LateSpan | undefined {
  if (!dispatch.cpu.enabled || dispatch.cpu.refusing || answered.has(stream)) return undefined
  const { ':method': method = 'GET', ':path': path = '', traceparent, tracestate } = headers
  const remote = readTraceParent(traceparent, tracestate)
  const span = beginRequest(method, callerOf(remote), remote)
  const exchange = { span, request: {} as RoutedRequest }
  answered.set(stream, exchange)
  routesOf(span, exchange.request)
  const end = (): void => {
    if (!span.isOpen) return
    const { ':status': sent, 'content-length': responseBytes } = stream.sentHeaders ?? {}
    const status = sent === undefined ? undefined : Number(sent)
    const failure = status !== undefined && status >= 500 ? String(status) : undefined
    endServed(span, {
      method,
      path: pathOf(path),
      route: routeOf(exchange.request),
      status,
      errorType: stream.rstCode !== 0 || status === undefined ? 'aborted' : failure,
      requestBytes: headers['content-length'],
      responseBytes,
    })
  }
  // Both come, and the first one counts; a stream that is given up finishes too.
  for (const event of ['finish', 'close']) stream.once(event, harmless(end))
  return span
}

/** The compatibility API, and what is built on it, writes the route onto its request. */
const noteRequest = harmless((request: unknown, response: unknown) => {
  const exchange = answered.get((request as { readonly stream?: ServerHttp2Stream }).stream!)
  if (exchange === undefined) return // HTTP/1
  exchange.request = request as RoutedRequest
  routesOf(exchange.span, exchange.request)
  ;(response as Recorded)[STATE] = undefined
})
