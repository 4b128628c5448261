import { dispatch } from '../../tracing/dispatch.ts'

/** Where Next.js keeps what it knows of a request. */
const NEXT_META = Symbol.for('NextInternalRequestMeta')
/** The page that Next.js shows for paths that none answers. */
const NEXT_NOTHING = '/_not-found'
/** Where Koa's context of a request is kept: its routers write the route there. */
export const KOA_CONTEXT: unique symbol = Symbol.for('micromegas.http.koa')
/** Where the patterns are kept that routers of Express are mounted at, by what they took off the path of a request. */
export const EXPRESS_MOUNTS: unique symbol = Symbol.for('micromegas.http.express')
/** Where Hono's context of a request is kept. */
export const HONO_CONTEXT: unique symbol = Symbol.for('micromegas.http.hono')
/** Where a framework that does not write the route onto Node's request has it written. */
export const ROUTE: unique symbol = Symbol.for('micromegas.http.route')

/** Where a span has the request that it is the span of. */
const ANSWERED: unique symbol = Symbol.for('micromegas.http.answered')

/** What a route can be written onto: Node's request, or what stands for one. */
export interface RoutedRequest {
  [ROUTE]?: unknown
}

/** Has routes that are told within a span written onto its request. */
export function routesOf(span: object, request: RoutedRequest): void {
  ;(span as { [ANSWERED]?: RoutedRequest })[ANSWERED] = request
}

/** The request that the running code answers, if it is recorded: that of the innermost span, or of the server's. */
export function answeredNow(): RoutedRequest | undefined {
  const span = dispatch.asyncSpans.getStore() as
    | ({ [ANSWERED]?: RoutedRequest } & { isOpen: boolean })
    | undefined
  return span?.isOpen === true ? span[ANSWERED] : undefined
}

/** Hono's context, and what it runs for a request: handlers with their routes, middleware among them. */
export interface HonoContext {
  /** `routeIndex` is that of what ran last. */
  readonly req: { readonly routeIndex: number }
}
export type HonoMatches = readonly [
  readonly (readonly [readonly [handler: unknown, route: HonoRoute], ...unknown[]])[],
  ...unknown[],
]
interface HonoRoute {
  readonly method: string
  readonly path: string
  readonly handler: HonoHandler
}
/** Where Hono keeps the handler of an application that was mounted with its own way to answer errors. */
type HonoHandler = ((...args: never[]) => unknown) & { readonly __COMPOSED_HANDLER?: HonoHandler }

interface FrameworkRequest {
  readonly [ROUTE]?: unknown
  readonly [EXPRESS_MOUNTS]?: ReadonlyMap<string, string> | undefined
  readonly [HONO_CONTEXT]?: { readonly context: HonoContext; readonly matches: HonoMatches } | undefined
  readonly [KOA_CONTEXT]?: { readonly _matchedRoute?: unknown } | undefined
  /** Express: what the mounted routers have taken off the path, and the route that answered. */
  readonly baseUrl?: unknown
  readonly originalUrl?: unknown
  readonly route?: { readonly path?: unknown } | undefined
  readonly [NEXT_META]?:
    | { readonly match?: { readonly definition?: { readonly pathname?: unknown } } }
    | undefined
}

/**
 * The pattern that a framework has found for a request, such as `/users/:id`; `undefined` for a path that none answers, or
 * where no framework is known.
 */
export function routeOf(request: object): string | undefined {
  try {
    const found = request as FrameworkRequest
    const own = found[ROUTE]
    if (typeof own === 'string') return own
    const path = found.route?.path
    if (path !== undefined) return expressRoute(found, path)
    const matched = found[KOA_CONTEXT]?._matchedRoute
    if (matched !== undefined) return String(matched)
    const hono = found[HONO_CONTEXT]
    if (hono !== undefined) return honoRoute(hono.matches[0][hono.context.req.routeIndex]?.[0][1])
    const page = found[NEXT_META]?.match?.definition?.pathname
    return typeof page === 'string' && page !== NEXT_NOTHING ? page : undefined
  } catch {
    return undefined // a getter of the application's that throws
  }
}

/**
 * Express takes a text, a pattern, or several for a path. What mounted routers have taken off it is gone once an error has
 * left them: then it is what the path has more than the route.
 */
function expressRoute(request: FrameworkRequest, path: unknown): string {
  const { baseUrl, originalUrl } = request
  const shown = Array.isArray(path) ? path.map(String).join('|') : String(path)
  const taken = typeof baseUrl === 'string' && baseUrl !== '' ? baseUrl : mountOf(originalUrl, shown)
  const base = mountPattern(request, taken)
  return shown === '/' && base !== '' ? base : base + shown
}

/** Middleware is a route of all methods that takes what comes next: its path is no name. */
function honoRoute(route: HonoRoute | undefined): string | undefined {
  if (route === undefined) return undefined
  const handler = route.handler.__COMPOSED_HANDLER ?? route.handler
  return route.method === 'ALL' && handler.length > 1 ? undefined : route.path
}

/** The patterns of the routers that took this off a path, as far as they are known. */
export function mountPattern(
  request: { readonly [EXPRESS_MOUNTS]?: ReadonlyMap<string, string> | undefined },
  taken: string,
): string {
  const mounts = request[EXPRESS_MOUNTS]
  if (mounts === undefined) return taken
  for (let end = taken.length; end > 0; end = taken.lastIndexOf('/', end - 1)) {
    const pattern = mounts.get(taken.slice(0, end))
    if (pattern !== undefined) return pattern + taken.slice(end)
  }
  return taken
}

/** A route with other than plain segments says nothing of how long a path it answers. */
function mountOf(originalUrl: unknown, route: string): string {
  if (typeof originalUrl !== 'string' || !/^(?:\/:?[\w.~-]+)+$/.test(route)) return ''
  const segments = originalUrl.split('?', 1)[0]!.split('/')
  const more = segments.length - route.split('/').length
  return more > 0 ? segments.slice(0, more + 1).join('/') : ''
}
