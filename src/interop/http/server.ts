import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dispatch } from '../../tracing/dispatch.ts'
import type { LateSpan } from '../../tracing/open-span.ts'
import { beginRequest, callerOf, harmless } from './requests.ts'
import { ROUTE, type RoutedRequest, routeOf, routesOf } from './route.ts'
import { endServed } from './server-span.ts'
import { readTraceParent } from './trace-parent.ts'

/** Of any copy of this package: a request is recorded once. */
const STATE: unique symbol = Symbol.for('micromegas.http.request')
const REQUEST_START = 'http.server.request.start'
const RESPONSE_FINISH = 'http.server.response.finish'
/** Fastify's, from version 5 on. */
const FASTIFY_HANDLER = 'tracing:fastify.request.handler:start'

export type RecordedResponse = ServerResponse & { [STATE]?: LateSpan | undefined }
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: RecordedResponse
}

/**
 * Records each request that a server of `node:http` or `node:https` answers: a span around its handler, which spans begun
 * below are children of, and the metric `http.server.request.duration`.
 *
 * @returns Ends it.
 */
export function recordServerRequests(): () => void {
  const listeners: readonly (readonly [string, ChannelListener])[] = [
    [REQUEST_START, harmless((message) => void enterExchange(message as Exchange))],
    [RESPONSE_FINISH, harmless((message) => endExchange(message as Exchange, undefined))],
    [FASTIFY_HANDLER, harmless(noteFastifyRoute)],
  ]
  for (const [name, listener] of listeners) subscribe(name, listener)
  return () => {
    for (const [name, listener] of listeners) unsubscribe(name, listener)
  }
}

/** Begins the span of a request whose handlers Node calls next, in the same turn: they run within it. */
export function enterExchange(exchange: Exchange): LateSpan | undefined {
  const span = beginExchange(exchange)
  if (span !== undefined) dispatch.asyncSpans.enterWith(span)
  return span
}

/** Begins the span of a request; `undefined` where none is recorded, or it has one. It ends with the connection at the latest. */
export function beginExchange(exchange: Exchange): LateSpan | undefined {
  const { request, response } = exchange
  if (!dispatch.cpu.enabled || dispatch.cpu.refusing || STATE in response) return undefined
  const { headers, method = 'GET' } = request
  const remote = readTraceParent(headers.traceparent, headers.tracestate)
  const span = beginRequest(method, callerOf(remote), remote)
  response[STATE] = span
  routesOf(span, request as RoutedRequest)
  response.once(
    'close',
    harmless(() => endExchange(exchange, 'aborted')),
  )
  return span
}

/** Ends the span when the response is sent, where no diagnostics channel tells. */
export function endWhenFinished(exchange: Exchange): void {
  exchange.response.once(
    'finish',
    harmless(() => endExchange(exchange, undefined)),
  )
}

function endExchange({ request, response }: Exchange, abortedType: string | undefined): void {
  const span = response[STATE]
  if (span === undefined) return
  response[STATE] = undefined
  const { statusCode } = response
  endServed(span, {
    method: request.method ?? 'GET',
    path: pathOf(request),
    route: routeOf(request),
    status: response.headersSent ? statusCode : undefined,
    errorType: abortedType ?? (statusCode >= 500 ? String(statusCode) : undefined),
    requestBytes: request.headers['content-length'],
    responseBytes: response.getHeader('content-length'),
  })
}

/** Without the query. Express shortens `url` where routers are mounted. */
function pathOf(request: IncomingMessage & { readonly originalUrl?: unknown }): string {
  const url = typeof request.originalUrl === 'string' ? request.originalUrl : (request.url ?? '')
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

function noteFastifyRoute(message: unknown): void {
  const { request, route } = message as {
    readonly request?: { readonly raw?: { [ROUTE]?: unknown } }
    readonly route?: { readonly url?: unknown }
  }
  if (request?.raw !== undefined) request.raw[ROUTE] = route?.url
}
