import { dispatch } from '../../tracing/dispatch.ts'
import type { LateSpan } from '../../tracing/spans/open-span.ts'
import { harmless } from '../patching/harmless.ts'
import { beginRequest, callerOf } from './requests.ts'
import { answeredNow, ROUTE, type RoutedRequest, routesOf } from './route.ts'
import { endServed } from './server-span.ts'
import { readTraceParent } from './trace-parent.ts'

export interface FetchOptions {
  /** The pattern that answered a request, such as `/users/:id`: a text, or what tells it once there is a response. */
  readonly route?:
    | string
    | ((request: Request, response: Response | undefined) => string | undefined)
    | undefined
}

/** Runs a handler within the span of its request: the one of Node's server, where that is recorded. Errors are thrown on. */
export async function recordFetch<Args extends [request: Request, ...rest: never[]]>(
  handler: (...args: Args) => Response | PromiseLike<Response>,
  args: Args,
  options: FetchOptions,
): Promise<Response> {
  const [request] = args
  const outer = answeredNow()
  let span: LateSpan | undefined
  if (outer === undefined)
    harmless(() => {
      span = beginFetch(request)
    })()
  const routed: RoutedRequest = outer ?? {}
  const noteRoute = harmless((response: Response | undefined) => {
    const { route } = options
    routed[ROUTE] ??= typeof route === 'function' ? route(request, response) : route
  })
  if (span === undefined) {
    const response = await handler(...args)
    noteRoute(response)
    return response
  }
  const own = span
  routesOf(own, routed)
  const end = harmless((response: Response | undefined) => endFetch(own, request, response, routed[ROUTE]))
  try {
    const response = await dispatch.asyncSpans.run(own, async () => handler(...args))
    noteRoute(response)
    end(response)
    return response
  } catch (error) {
    own.fail(error)
    noteRoute(undefined)
    end(undefined)
    throw error
  }
}

function beginFetch({ method, headers }: Request): LateSpan | undefined {
  if (!dispatch.cpu.enabled || dispatch.cpu.refusing) return undefined
  const remote = readTraceParent(
    headers.get('traceparent') ?? undefined,
    headers.get('tracestate') ?? undefined,
  )
  return beginRequest(method, callerOf(remote) ?? dispatch.asyncSpans.getStore(), remote)
}

function endFetch(span: LateSpan, request: Request, response: Response | undefined, route: unknown): void {
  const status = response?.status
  endServed(span, {
    method: request.method,
    path: new URL(request.url).pathname,
    route: typeof route === 'string' ? route : undefined,
    status,
    errorType: status === undefined || status < 500 ? undefined : String(status),
    requestBytes: request.headers.get('content-length'),
    responseBytes: response?.headers.get('content-length'),
  })
}
