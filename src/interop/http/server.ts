import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dispatch } from '../../tracing/dispatch.ts'
import type { LateSpan } from '../../tracing/open-span.ts'
import { beginRequest, callerOf, DurationMetric, harmless, knownMethod } from './requests.ts'
import { ROUTE, routeOf } from './route.ts'
import { readTraceParent } from './trace-parent.ts'

const STATE: unique symbol = Symbol('micromegas.request')
const REQUEST_START = 'http.server.request.start'
const RESPONSE_FINISH = 'http.server.response.finish'
/** Fastify's, from version 5 on. */
const FASTIFY_HANDLER = 'tracing:fastify.request.handler:start'

type Response = ServerResponse & { [STATE]?: LateSpan | undefined }
interface Exchange {
  readonly request: IncomingMessage
  readonly response: Response
}

const duration = new DurationMetric('http.server.request.duration', 'http.route')

/**
 * Records each request that a server of `node:http` or `node:https` answers: a span around its handler, which spans begun
 * below are children of, and the metric `http.server.request.duration`.
 *
 * @returns Ends it.
 */
export function recordServerRequests(): () => void {
  const listeners: readonly (readonly [string, ChannelListener])[] = [
    [REQUEST_START, harmless((message) => begin(message as Exchange))],
    [
      RESPONSE_FINISH,
      harmless((message) => end((message as Exchange).request, (message as Exchange).response, undefined)),
    ],
    [FASTIFY_HANDLER, harmless(noteFastifyRoute)],
  ]
  for (const [name, listener] of listeners) subscribe(name, listener)
  return () => {
    for (const [name, listener] of listeners) unsubscribe(name, listener)
  }
}

function begin({ request, response }: Exchange): void {
  if (!dispatch.cpu.enabled || dispatch.cpu.refusing) return
  const { headers, method = 'GET' } = request
  const remote = readTraceParent(headers.traceparent, headers.tracestate)
  const span = beginRequest(method, callerOf(remote), remote)
  response[STATE] = span
  // Node calls the handlers next, in the same turn: they run within the span.
  dispatch.asyncSpans.enterWith(span)
  response.once(
    'close',
    harmless(() => end(request, response, 'aborted')),
  )
}

function end(request: IncomingMessage, response: Response, abortedType: string | undefined): void {
  const span = response[STATE]
  if (span === undefined) return
  response[STATE] = undefined
  const method = knownMethod(request.method ?? 'GET')
  const route = routeOf(request)
  const status = response.headersSent ? response.statusCode : undefined
  const errorType = abortedType ?? (response.statusCode >= 500 ? String(response.statusCode) : undefined)
  if (route !== undefined) span.rename(`${method} ${route}`)
  const { remote } = span
  span.set({
    'span.kind': 'SERVER',
    'http.request.method': request.method,
    'url.path': pathOf(request),
    'http.route': route,
    'http.response.status_code': status,
    'http.request.body.size': request.headers['content-length'],
    'http.response.body.size': response.getHeader('content-length'),
    'error.type': errorType,
    ...(remote === undefined ? undefined : { trace_id: remote.traceId, parent_span_id: remote.spanId }),
  })
  span.end()
  duration.record(span, method, route, { status, errorType })
}

/** Without the query, which may hold secrets. Express shortens `url` where routers are mounted. */
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
