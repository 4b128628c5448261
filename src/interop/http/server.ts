import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dispatch } from '../../tracing/dispatch.ts'
import type { LateSpan } from '../../tracing/spans/open-span.ts'
import { harmless } from '../patching/harmless.ts'
import { recordHttp2Servers } from './http2/servers.ts'
import { beginRequest, callerOf } from './requests.ts'
import { ROUTE, type RoutedRequest, routeOf, routesOf } from './route.ts'
import { endServed, pathOf, type Recorded, STATE } from './server-span.ts'
import { readTraceParent } from './trace-parent.ts'

const REQUEST_START = 'http.server.request.start'
const RESPONSE_FINISH = 'http.server.response.finish'
/** Fastify's, from version 5 on. */
const FASTIFY_HANDLER = 'tracing:fastify.request.handler:start'

export type RecordedResponse = ServerResponse & Recorded
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: RecordedResponse
}

/**
 * Records each request that a server of `node:http`, `node:https` or `node:http2` answers: a span around its handler, which spans begun
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
  const restore = recordHttp2Servers()
  return () => {
    restore()
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
    path: pathOf(targetOf(request)),
    route: routeOf(request),
    status: response.headersSent ? statusCode : undefined,
    errorType: abortedType ?? (statusCode >= 500 ? String(statusCode) : undefined),
    requestBytes: request.headers['content-length'],
    responseBytes: response.getHeader('content-length'),
  })
}

/** Express shortens `url` where routers are mounted. */
function targetOf(request: IncomingMessage & { readonly originalUrl?: unknown }): string {
  return typeof request.originalUrl === 'string' ? request.originalUrl : (request.url ?? '')
}

function noteFastifyRoute(message: unknown): void {
  const { request, route } = message as {
    readonly request?: { readonly raw?: { [ROUTE]?: unknown } }
    readonly route?: { readonly url?: unknown }
  }
  if (request?.raw !== undefined) request.raw[ROUTE] = route?.url
}
