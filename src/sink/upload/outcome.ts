import { TransportError, type UploadResponse } from '../../http/answer/http-response.ts'
import { parseRetryAfter } from '../../http/answer/retry-after.ts'
import { isError } from '../../model/kinds.ts'
import { errorMessage } from '../../model/text/error-message.ts'

/**
 * Why something was given up:
 *
 * - `queue_full`: shed, the queue was at the byte budget of its priority
 * - `refused`: the server refused it for good (4xx)
 * - `too_large`: above the server's body limit of 100 MiB, or answered with 413
 * - `set_aside`: failed again and again while others were delivered; it would be retried for ever
 * - `credentials`: the request decorator reported that its credentials will not work
 * - `encoding`: it could not be encoded
 * - `spool_full`: had to make room in the spool
 * - `spool_corrupt`: its file in the spool was torn, corrupt or gone
 * - `shutdown`: not delivered when the time of the shutdown was over
 * - `closed`: recorded after the shutdown
 */
export type DropReason =
  | 'queue_full'
  | 'refused'
  | 'too_large'
  | 'set_aside'
  | 'credentials'
  | 'encoding'
  | 'spool_full'
  | 'spool_corrupt'
  | 'shutdown'
  | 'closed'

/** The attempt may succeed later; the data is kept. */
export interface RetryOutcome {
  readonly kind: 'retry'
  /** What went wrong, for people. */
  readonly detail: string
  /** Wait asked for by the other side, in milliseconds; not yet capped. */
  readonly retryAfterMs: number | undefined
  /**
   * How far the failure speaks against the item rather than the path to the server, should others be delivered
   * meanwhile: 1 for an internal error (data that the database refuses gives a 500 for ever), 0.5 for a broken or
   * unanswered request, 0 for what says that the service as a whole is not available.
   */
  readonly suspicion: 0 | 0.5 | 1
  /** Whoever failed tells the operator itself. */
  readonly isTold?: boolean
}

/** The server refuses our credentials; the data is kept and uploads pause. */
export interface UnauthorizedOutcome {
  readonly kind: 'unauthorized'
  readonly detail: string
}

/** Trying again is useless. */
export interface DropOutcome {
  readonly kind: 'drop'
  readonly reason: DropReason
  readonly detail: string
}

/** What one attempt came to. */
export type Outcome =
  | { readonly kind: 'delivered' }
  | RetryOutcome
  | UnauthorizedOutcome
  | DropOutcome
  /** Cut short by our own shutdown; says nothing about the server. */
  | { readonly kind: 'aborted' }

/** Statuses that blame the service or the way to it, never the one request (RFC 9110, RFC 8470, RFC 6585). */
const UNAVAILABLE: ReadonlySet<number> = new Set([407, 408, 425, 429, 502, 503, 504])

/**
 * What an answer means. Together with {@link classifyTransportError} and {@link classifyDecoratorError} this is the only
 * place where that is decided.
 *
 * Unlike the reference sink, 401, 408, 425 and 429 are not final: the server says 401 also when it cannot fetch the
 * identity provider's keys. 407 is a proxy's. A redirect is not followed, since it would carry credentials to another place, and its data
 * is kept, since whoever misconfigured the route can mend it.
 *
 * @param nowMs - Wall clock, milliseconds since the Unix epoch.
 */
export function classifyResponse(response: UploadResponse, nowMs: number): Outcome {
  const { status } = response
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const detail = status === 407 ? 'the proxy answers 407' : `it answers ${status}`
  if (status === 401) return { kind: 'unauthorized', detail }
  if (status === 413) return { kind: 'drop', reason: 'too_large', detail }
  if (status >= 400 && status < 500 && !UNAVAILABLE.has(status)) {
    return { kind: 'drop', reason: 'refused', detail }
  }
  return {
    kind: 'retry',
    detail: status < 400 ? `${detail} and redirects are not followed` : detail,
    retryAfterMs: parseRetryAfter(response.retryAfter, response.date, nowMs),
    suspicion: status >= 500 && !UNAVAILABLE.has(status) ? 1 : 0,
  }
}

/** What a request that got no answer means: always worth another attempt. */
export function classifyTransportError(error: unknown): RetryOutcome {
  const sent = error instanceof TransportError && error.sent
  return { kind: 'retry', detail: errorMessage(error), retryAfterMs: undefined, suspicion: sent ? 0.5 : 0 }
}

/**
 * What a failing request decorator means: passing trouble, unless it says otherwise by a `PermanentDecoratorError`. An
 * error's numeric `retryAfterMs` is honoured; one that is `refused` has been told by the decorator, in words of its own.
 * Matched by name: two copies of the package have two classes.
 */
export function classifyDecoratorError(error: unknown): RetryOutcome | DropOutcome {
  const detail = errorMessage(error)
  if (isError(error) && error.name === 'PermanentDecoratorError') {
    return { kind: 'drop', reason: 'credentials', detail }
  }
  const hint = isError(error) && 'retryAfterMs' in error ? error.retryAfterMs : undefined
  const retryAfterMs = typeof hint === 'number' && hint >= 0 ? hint : undefined
  const isTold = isError(error) && 'refused' in error && error.refused === true
  return { kind: 'retry', detail, retryAfterMs, suspicion: 0, isTold }
}
