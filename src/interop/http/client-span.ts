import { isOwnWork } from '../../model/runtime/own-work.ts'
import { dispatch } from '../../tracing/dispatch.ts'
import type { LateSpan } from '../../tracing/spans/open-span.ts'
import { spanIdOf, traceIdOf } from '../../tracing/spans/trace-ids.ts'
import { DurationMetric, endCall, knownMethod } from './requests.ts'

const duration = new DurationMetric('http.client.request.duration', 'server.address')

/** Whether a request that begins now is not recorded. */
export function isPassedOver(): boolean {
  return !dispatch.cpu.enabled || dispatch.cpu.refusing || isOwnWork()
}

/** A request that this process made, as it ended. */
export interface CalledRequest {
  readonly method: string
  /** Host name of the server; empty where it is not known. */
  readonly address: string
  readonly path: string
  /** `undefined` where no response came. */
  readonly status: number | undefined
  /** What it failed with; `undefined` where it did not. */
  readonly error: unknown
}

/** Ends the span of a request with what is known now, and records how long it took. */
export function endCalled(span: LateSpan, { method, address, path, status, error }: CalledRequest): void {
  const errorType =
    error === undefined ? (status !== undefined && status >= 400 ? String(status) : undefined) : typeOf(error)
  if (error !== undefined) span.fail(error)
  span.set({
    'span.kind': 'CLIENT',
    'http.request.method': method,
    'server.address': address,
    'url.path': path.split('?', 1)[0],
    'http.response.status_code': status,
    'error.type': errorType,
    // as its callee has them: trace_id and parent_span_id
    trace_id: traceIdOf(span),
    span_id: spanIdOf(span.spanId),
  })
  endCall(span)
  duration.record(span, knownMethod(method), address, { status, errorType })
}

function typeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'error'
}

/** The host name of an address; empty for what is none. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : ''
}
