import { AuthenticationError, QueryError, type QueryErrorCode, readDetails } from '../query-error.ts'
import { type StatusObject, status } from './grpc-js.ts'
import { proxyTrouble } from './query-proxy.ts'

/** What gRPC itself says when there was no server to ask. */
const NOT_FROM_SERVER = /^(?:No connection established|Name resolution failed)/
/** Its word for the reset of a call with ENHANCE_YOUR_CALM, as servers of gRPC's own end a connection that pings often. */
const CALM = 'Bandwidth exhausted or memory limit exceeded'
/** `decodeURI`, by which gRPC reads the status message, leaves these signs as they were encoded: `#`, `?` and others. */
const RESERVED = /%(?:2[346BCF]|3[ABDF]|40)/gi

/** Who was asked what, for messages. */
export interface CallSubject {
  /** Completes "Cannot …". */
  readonly what: string
  readonly label: string
  /** {@link label}, and the way there. */
  readonly route: string
  readonly credentialsSent: boolean
}

const NONE_SENT =
  ' (none were sent: set MICROMEGAS_ANALYTICS_API_KEY, give the client an authProvider, or log in with `npx micromegas login`)'

/** The error of a call that ended with a status. */
export function callError(
  end: StatusObject,
  { what, label, route, credentialsSent }: CallSubject,
): QueryError {
  const code = (status[end.code] ?? 'UNKNOWN') as QueryErrorCode
  if (NOT_FROM_SERVER.test(end.details)) {
    return new QueryError(code, `Cannot reach ${route}: ${lastError(end.details)}`)
  }
  if (end.details === CALM) {
    const advice = 'it wants fewer pings (ENHANCE_YOUR_CALM); raise keepaliveMs, or set it to false'
    return new QueryError('UNAVAILABLE', `Cannot reach ${route}: ${advice}`)
  }
  const details = end.details.replace(RESERVED, decodeURIComponent)
  const facts = readDetails(details)
  if (code === 'UNAUTHENTICATED') {
    const hint = credentialsSent ? '' : NONE_SENT
    return new AuthenticationError(
      code,
      `Cannot ${what}: ${label} refuses the credentials: ${details}${hint}`,
      facts,
    )
  }
  if (code === 'UNAVAILABLE') return new QueryError(code, `Cannot reach ${route}: ${details}`, facts)
  return new QueryError(code, `Cannot ${what}: ${details || code}`, facts)
}

/** The reason alone, of what gRPC says when no connection could be made. */
function lastError(details: string): string {
  const [, reason = details] = /Last error: (?:Error: )?(.*)/s.exec(details) ?? []
  if (reason.startsWith('undefined')) return proxyTrouble()
  return reason.replace(/ \(\d{4}-[^)]*Z\)/, '').replace(/\.? Resolution note: ?.*$/s, '')
}
