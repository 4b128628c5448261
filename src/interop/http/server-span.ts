import type { LateSpan } from '../../tracing/spans/open-span.ts'
import { DurationMetric, knownMethod, type RequestEnd } from './requests.ts'

const serverDuration = new DurationMetric('http.server.request.duration', 'http.route')

/** On what is answered, of any copy of this package: a request is recorded once. */
export const STATE: unique symbol = Symbol.for('micromegas.http.request')

/** A response whose request has a span, or had one. */
export interface Recorded {
  [STATE]?: LateSpan | undefined
}

/** The path of a request's target: without the query, which may hold secrets. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}

/** A request that was answered, or failed. */
export interface ServedRequest extends RequestEnd {
  /** As it was sent. */
  readonly method: string
  /** See {@link pathOf}. */
  readonly path: string
  readonly route: string | undefined
  /** `content-length` of the request. */
  readonly requestBytes: string | null | undefined
  /** `content-length` of the response. */
  readonly responseBytes: number | string | readonly string[] | null | undefined
}

/** Ends the span of a request with what is known now, and records how long it took. */
export function endServed(span: LateSpan, served: ServedRequest): void {
  const { method, path, route, status, errorType, requestBytes, responseBytes } = served
  const name = knownMethod(method)
  if (route !== undefined) span.rename(`${name} ${route}`)
  const { remote } = span
  span.set({
    'span.kind': 'SERVER',
    'http.request.method': method,
    'url.path': path,
    'http.route': route,
    'http.response.status_code': status,
    'http.request.body.size': requestBytes,
    'http.response.body.size': responseBytes,
    'error.type': errorType,
    ...(remote === undefined ? undefined : { trace_id: remote.traceId, parent_span_id: remote.spanId }),
  })
  span.end()
  // Without a response, whoever called the handler makes one of the error.
  const failure = errorType ?? (status === undefined ? 'exception' : undefined)
  serverDuration.record(span, name, route, { status, errorType: failure })
}
