/** The gRPC status that a failed call ended with. They are public API: match on them rather than on messages. */
export type QueryErrorCode =
  /** The call was cancelled, by the server or on the way. An abort of yours rejects with your signal's reason instead. */
  | 'CANCELLED'
  | 'UNKNOWN'
  /** The server does not accept the SQL, the plan or the range. */
  | 'INVALID_ARGUMENT'
  /** `timeoutMs` has passed, or the server's own limit. */
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  /** The credentials are good, but do not allow this. */
  | 'PERMISSION_DENIED'
  /** The server is out of memory for this query, refuses it by rule, or a message is larger than `maxMessageBytes`. */
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  /** A value does not fit the form that `int64` or `timestamps` asks for. */
  | 'OUT_OF_RANGE'
  /** The server does not know this call, or the answer has a type that this client does not know. */
  | 'UNIMPLEMENTED'
  /** The query failed while it ran. */
  | 'INTERNAL'
  /** The server cannot be reached or went away; trying again is useful. */
  | 'UNAVAILABLE'
  /** The answer is not valid Arrow data. */
  | 'DATA_LOSS'
  /** The server does not accept the credentials; see {@link AuthenticationError}. */
  | 'UNAUTHENTICATED'

/** What is known about a failure besides its message. */
export interface QueryErrorOptions extends ErrorOptions {
  /** See {@link QueryError.details}. */
  readonly details?: string | undefined
  /** See {@link QueryError.queryId}. */
  readonly queryId?: string | undefined
  /** See {@link QueryError.line}. */
  readonly line?: number | undefined
  /** See {@link QueryError.column}. */
  readonly column?: number | undefined
}

/** A query, or another call to an analytics server, failed. */
export class QueryError extends Error {
  override readonly name: string = 'QueryError'
  readonly code: QueryErrorCode
  /** What the server said, unchanged; `undefined` when the failure was found on this side. */
  readonly details: string | undefined
  /** The server's name for the query, to be looked up in its logs. */
  readonly queryId: string | undefined
  /** Where in the SQL the mistake is, from 1; `undefined` when the server does not say. */
  readonly line: number | undefined
  /** From 1. */
  readonly column: number | undefined

  constructor(code: QueryErrorCode, message: string, options: QueryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details
    this.queryId = options.queryId
    this.line = options.line
    this.column = options.column
  }
}

/** The server does not accept the credentials, or wants some and was given none. Its code is `UNAUTHENTICATED`. */
export class AuthenticationError extends QueryError {
  override readonly name: string = 'AuthenticationError'
}

const QUERY_ID = /\(query_id=([^)\s]+)\)/
/** The planner's own places, and the parser's. The last one counts: a message may quote the SQL before it. */
const PLACE = /at line:? (\d+), column:? (\d+)/gi

/** What an analytics server's error text tells. */
export function readDetails(details: string): QueryErrorOptions {
  const place = [...details.matchAll(PLACE)].at(-1)
  return {
    details,
    queryId: QUERY_ID.exec(details)?.[1],
    line: place === undefined ? undefined : Number(place[1]),
    column: place === undefined ? undefined : Number(place[2]),
  }
}
