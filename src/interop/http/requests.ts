import { dispatch } from '../../tracing/dispatch.ts'
import { type FloatMetric, fmetric } from '../../tracing/metric.ts'
import { LateSpan, lateRecord } from '../../tracing/spans/open-span.ts'
import { spanIdOf } from '../../tracing/spans/trace-ids.ts'
import type { OpenAsyncSpan, RemoteParent } from '../../tracing/streams/span-stream.ts'
import { BoundedTable, TableBound } from '../../tracing/values/bounded-table.ts'
import { type PropertySet, propertySet } from '../../tracing/values/property-set.ts'

/** Target of the spans and metrics of requests. */
export const HTTP_TARGET = 'http'
const NANOSECONDS_PER_SECOND = 1e9
/** Distinct property sets of durations that are remembered. */
const setBound = new TableBound(2048)
/** Methods of HTTP's registry; any other is `_OTHER`, as in OpenTelemetry's conventions, so that names stay few. */
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'HEAD',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'QUERY',
])

/** How a request ended. */
export interface RequestEnd {
  /** Status of the response; `undefined` where there was none. */
  readonly status: number | undefined
  /** `error.type`, where it failed. */
  readonly errorType: string | undefined
}

/** Requests that the process makes and that are not answered yet, by the id that their callee is told. */
const openCalls = new Map<string, LateSpan>()

/** Begins the span of a request: under the method alone, until it is known what answers it. */
export function beginRequest(
  method: string,
  parent: OpenAsyncSpan | undefined,
  remote?: RemoteParent,
): LateSpan {
  const span = new LateSpan(lateRecord(knownMethod(method), HTTP_TARGET), parent, remote)
  span.begin()
  return span
}

/** Begins the span of a request that this process makes. */
export function beginCall(method: string, address: string): LateSpan {
  const span = beginRequest(method, dispatch.asyncSpans.getStore())
  if (address !== '') span.rename(`${knownMethod(method)} ${address}`)
  openCalls.set(spanIdOf(span.spanId), span)
  return span
}

export function endCall(span: LateSpan): void {
  openCalls.delete(spanIdOf(span.spanId))
  span.end()
}

/** The span of this process that made the request, where it was this process. */
export function callerOf(remote: RemoteParent | undefined): LateSpan | undefined {
  return remote === undefined ? undefined : openCalls.get(remote.spanId)
}

export function knownMethod(method: string): string {
  return METHODS.has(method) ? method : '_OTHER'
}

/** Durations of requests, by method, route or server, and status. */
export class DurationMetric {
  readonly #metric: FloatMetric
  readonly #sets = new BoundedTable<string, PropertySet>(setBound)
  readonly #placeName: string

  /**
   * @param name - That of OpenTelemetry's conventions; in seconds, as there.
   * @param placeName - The property that says what was asked: a route, or a server.
   */
  constructor(name: string, placeName: string) {
    this.#metric = fmetric(name, 's', { target: HTTP_TARGET })
    this.#placeName = placeName
  }

  record(span: LateSpan, method: string, place: string | undefined, { status, errorType }: RequestEnd): void {
    if (dispatch.metrics.refusing) return
    const key = `${method}\0${place}\0${status}\0${errorType}`
    const make = (): PropertySet =>
      propertySet({
        'http.request.method': method,
        [this.#placeName]: place,
        'http.response.status_code': status,
        'error.type': errorType,
      })
    const set = this.#sets.getOrMake(key, make) ?? make()
    this.#metric.record(Number(span.endTicks - span.beginTicks) / NANOSECONDS_PER_SECOND, set)
  }
}
