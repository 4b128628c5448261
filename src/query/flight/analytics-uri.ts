import { TelemetryError } from '../../model/errors.ts'

/** Where the server of a development machine listens. */
export const DEFAULT_URI = 'grpc://localhost:50051'
const DEFAULT_PORT = 50_051

/** An analytics server as a client addresses it. */
export interface AnalyticsAddress {
  /** Scheme, host and port: fit for messages, it holds no secret. */
  readonly label: string
  readonly tls: boolean
  /** `host:port`, an IPv6 address in brackets. */
  readonly authority: string
  /** The same as an http or https URL, for those who judge hosts. */
  readonly url: URL
}

const SCHEMES: Readonly<Record<string, boolean>> = {
  'grpc:': false,
  'http:': false,
  'grpc+tcp:': false,
  'grpc+tls:': true,
  'https:': true,
}

/**
 * Reads the URI of an analytics server: `grpc://host:port`, or `grpc+tls://host:port` for TLS; `http` and `https` are taken
 * for these. The port is 50051 when none is given (443 for `https`).
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` for anything else. The message does not repeat the text: a mistyped
 * URI may hold a password.
 */
export function parseAnalyticsUri(text: string): AnalyticsAddress {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:)\/\/(.*)$/i.exec(text.trim()) ?? []
  const tls = SCHEMES[scheme.toLowerCase()]
  if (tls === undefined) throw unusable('expected grpc://host:port or grpc+tls://host:port')
  // The schemes of gRPC are not known to the URL parser, which then takes hosts as they come.
  const standard = `${tls ? 'https' : 'http'}://${rest}`
  const url = URL.canParse(standard) ? new URL(standard) : undefined
  if (url === undefined) throw unusable('it is no URI, with a port up to 65535')
  if (url.username !== '' || url.password !== '')
    throw unusable('it holds credentials; use apiKey or authProvider')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') throw unusable('it has a path or a query')
  const port = explicitPort(rest) ?? (scheme.toLowerCase() === 'https:' ? 443 : DEFAULT_PORT)
  url.port = String(port)
  const authority = `${url.hostname}:${port}`
  return { label: `grpc${tls ? '+tls' : ''}://${authority}`, tls, authority, url }
}

/** The URL parser drops a port that is its scheme's own. */
function explicitPort(rest: string): number | undefined {
  const port = /:(\d+)\/?$/.exec(rest)?.[1]
  return port === undefined ? undefined : Number(port)
}

function unusable(why: string): TelemetryError {
  return new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot use the analytics URI: ${why}`)
}
