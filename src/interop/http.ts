/**
 * HTTP without `micromegas/register`: one server, one handler, or the process's clients, recorded as that flag records them.
 *
 * @module micromegas/http
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { dispatch } from '../tracing/dispatch.ts'
import { recordClientRequests } from './http/client.ts'
import { type FetchOptions, recordFetch } from './http/fetch-handler.ts'
import { answeredNow, ROUTE } from './http/route.ts'
import { beginExchange, endWhenFinished, enterExchange } from './http/server.ts'
import { harmless } from './patching/harmless.ts'

export type { FetchOptions } from './http/fetch-handler.ts'

/** A server whose requests are those of `node:http`: also of `node:https`, and of `node:http2` with its compatibility API. */
export interface RequestServer {
  prependListener(event: string, listener: (...args: never[]) => void): unknown
}

/**
 * Records each request of a server: a span around its handlers, named by method and route, with status and sizes; the metric
 * `http.server.request.duration`, in seconds; context for what runs below. Requests that `micromegas/register` records are not
 * recorded twice.
 *
 * @param server - As `createServer` gives it; its listeners may be added before or after.
 * @returns The server.
 * @example
 * ```ts
 * instrumentServer(createServer(app)).listen(8000)
 * ```
 */
export function instrumentServer<S extends HttpServer | HttpsServer | RequestServer>(server: S): S {
  const listen = harmless((request: IncomingMessage, response: ServerResponse) => {
    const exchange = { request, response }
    if (enterExchange(exchange) !== undefined) endWhenFinished(exchange)
  })
  ;(server as RequestServer).prependListener('request', listen)
  return server
}

/**
 * A handler of `node:http` whose requests are recorded, as by {@link instrumentServer}.
 *
 * @param handler - `(request, response) => …`, as `createServer` takes it: an Express application is one.
 * @returns What the handler returns.
 */
export function traceHandler<
  Args extends [request: IncomingMessage, response: ServerResponse, ...rest: never[]],
  R,
>(handler: (...args: Args) => R): (...args: Args) => R {
  return function traced(this: unknown, ...args: Args): R {
    const [request, response] = args
    let span: ReturnType<typeof beginExchange>
    harmless(() => {
      span = beginExchange({ request, response })
      if (span !== undefined) endWhenFinished({ request, response })
    })()
    const run = (): R => handler.apply(this, args)
    return span === undefined ? run() : dispatch.asyncSpans.run(span, run)
  }
}

/**
 * A handler of requests as `fetch` has them (Hono, Next.js, Deno, Bun, edge functions), recorded as by {@link instrumentServer}.
 * The span ends when the handler has answered; a body that is streamed afterwards is not waited for.
 *
 * @param handler - `(request) => Response`; further arguments are handed on.
 * @param options.route - The pattern that answered, such as `/users/:id`. Without one the span is called by its method alone.
 */
export function traceFetchHandler<Args extends [request: Request, ...rest: never[]]>(
  handler: (...args: Args) => Response | PromiseLike<Response>,
  options: FetchOptions = {},
): (...args: Args) => Promise<Response> {
  return (...args) => recordFetch(handler, args, options)
}

/**
 * Tells the pattern that answers the request which the calling code runs in, such as `/users/:id`: for frameworks whose routes
 * are not found by themselves. Its span and its metric get it. To be called from the handler or a middleware, not within a span of
 * one's own; elsewhere it does nothing.
 */
export function setRoute(route: string): void {
  const request = answeredNow()
  if (request !== undefined && typeof route === 'string') request[ROUTE] = route
}

/**
 * Records requests that the process makes by `node:http`, `node:https`, `node:http2`, `fetch` and undici: spans named by method and host, the
 * metric `http.client.request.duration`, and the header `traceparent`. Uploads of telemetry are not recorded.
 *
 * @returns Ends it.
 */
export function instrumentClients(): () => void {
  return recordClientRequests()
}
