import { randomUUID } from 'node:crypto'
import { ApiKeyProvider } from '../auth/api-key-provider.ts'
import type { AuthProvider } from '../auth/auth-provider.ts'
import { tell } from '../config/diagnostics.ts'
import type { Env } from '../config/process-env.ts'
import { isCleartext } from '../http/transport-security.ts'
import { TelemetryError } from '../model/errors.ts'
import { resolveValueOptions, type ValueModes, type ValueOptions } from './arrow/value-options.ts'
import { type AnalyticsAddress, DEFAULT_URI, parseAnalyticsUri } from './flight/analytics-uri.ts'
import type { ConnectionConfig } from './flight/connection.ts'
import { queryProxy } from './flight/query-proxy.ts'
import type { Time, TimeRange } from './time.ts'

/** How a client connects, and what its queries do unless they are told otherwise. */
export interface FlightSQLClientOptions extends ValueOptions {
  /** Gives a token before each call. */
  readonly authProvider?: AuthProvider | undefined
  /** An API key, sent as it is. Instead of `authProvider`. */
  readonly apiKey?: string | undefined
  /** Refuse to send credentials without TLS, except to this machine. @defaultValue `false`: a warning */
  readonly requireTls?: boolean | undefined
  /** Sent with each call, in addition to what the client sends itself. Names are lower-case. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Ask for columns of repeated values as the server holds them, dictionary-encoded: fewer bytes for long results. Rows
   * have the same values either way.
   *
   * @defaultValue `false`
   */
  readonly preserveDictionary?: boolean | undefined
  /** What this program is, for the server's records: printable ASCII, at most 64 characters. @defaultValue `'script'` */
  readonly clientEntrypoint?: string | undefined
  /** Limit of opening a connection, in milliseconds. @defaultValue `10_000` */
  readonly connectTimeoutMs?: number | undefined
  /** Limit of each call, from its start to the end of its answer, in milliseconds. @defaultValue none */
  readonly timeoutMs?: number | undefined
  /**
   * How often a quiet connection is pinged, in milliseconds, at least 1,000; `false` for never. Load balancers drop
   * connections that are quiet for a minute or so. Servers of gRPC's own (C++, Go) do not take pings more often than every
   * five minutes: they end queries that are silent for longer than three of them.
   *
   * @defaultValue `30_000`
   */
  readonly keepaliveMs?: number | false | undefined
  /** Limit of one message, in bytes: at least that of one row. @defaultValue `104_857_600` (100 MiB) */
  readonly maxMessageBytes?: number | undefined
  /** Authorities to trust instead of Node's own (those that `NODE_EXTRA_CA_CERTS` adds included): PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  /** This client's own certificate, for servers that ask for one: PEM. */
  readonly cert?: string | Uint8Array | undefined
  /** The key of `cert`: PEM. */
  readonly key?: string | Uint8Array | undefined
  /**
   * An `http:` proxy to ask for the connection (CONNECT), or `false` for none.
   *
   * @defaultValue what `grpc_proxy`, `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say
   */
  readonly proxy?: string | URL | false | undefined
}

/** How one call is made. */
export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Limit from the start to the end of the answer, in milliseconds. @defaultValue the client's */
  readonly timeoutMs?: number | undefined
  /** Sent with this call, in addition to the client's. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** How one query is asked. */
export interface QueryOptions extends CallOptions, ValueOptions {
  /** Where the time range begins. Without a range, a server reads all data it has: for large tables give one. */
  readonly begin?: Time | undefined
  /** Where it ends. @defaultValue now, if there is a begin */
  readonly end?: Time | undefined
  /** Both ends; instead of `begin` and `end`. */
  readonly range?: TimeRange | undefined
  /** The most rows that come, as if the SQL said so. */
  readonly limit?: number | undefined
  /** See {@link FlightSQLClientOptions.preserveDictionary}. @defaultValue the client's */
  readonly preserveDictionary?: boolean | undefined
}

/** Options with every member present, checked. */
export interface ClientConfig {
  readonly connection: ConnectionConfig
  readonly auth: AuthProvider | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly preserveDictionary: boolean
  readonly timeoutMs: number | undefined
  readonly values: ValueModes
}

const MAX_TIMER_MS = 2 ** 31 - 1
const MAX_LABEL = 64

/**
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` for a URI or a setting that cannot be used; `TypeError` and
 * `RangeError` for options of the wrong kind.
 */
export function resolveClientOptions(
  uri: string | undefined,
  options: FlightSQLClientOptions,
  env: Env,
): ClientConfig {
  const address = parseAnalyticsUri(uri ?? DEFAULT_URI)
  if (options.apiKey !== undefined && options.authProvider !== undefined) {
    throw unusable('apiKey and authProvider', 'give one of them')
  }
  if (!address.tls && [options.ca, options.cert, options.key].some((pem) => pem !== undefined)) {
    throw unusable('ca, cert and key', `${address.label} has no TLS; use grpc+tls://`)
  }
  const auth = options.apiKey === undefined ? options.authProvider : new ApiKeyProvider(options.apiKey)
  if (auth !== undefined) checkTransport(address, options)
  return {
    connection: {
      address,
      proxy: queryProxy(address, options.proxy, env, tell),
      tls: { ca: options.ca, cert: options.cert, key: options.key },
      connectTimeoutMs: limit('connectTimeoutMs', options.connectTimeoutMs ?? 10_000, 1, MAX_TIMER_MS),
      keepaliveMs:
        options.keepaliveMs === false
          ? undefined
          : limit('keepaliveMs', options.keepaliveMs ?? 30_000, 1_000, MAX_TIMER_MS),
      maxMessageBytes: limit('maxMessageBytes', options.maxMessageBytes ?? 104_857_600, 1_024, 2 ** 31 - 1),
    },
    auth,
    headers: {
      'x-client-type': 'nodejs',
      'x-client-agent': label(env.MICROMEGAS_CLIENT_AGENT) ?? 'none',
      'x-client-entrypoint': entrypoint(options.clientEntrypoint, env),
      'x-client-session': randomUUID(),
      ...checkHeaders(options.headers),
    },
    preserveDictionary: options.preserveDictionary ?? false,
    timeoutMs: checkTimeout(options.timeoutMs),
    values: resolveValueOptions(options),
  }
}

/** @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when `requireTls` does not allow it. */
function checkTransport(address: AnalyticsAddress, options: FlightSQLClientOptions): void {
  if (!isCleartext(address.url)) return
  if (options.requireTls === true) {
    throw unusable(
      'the credentials',
      `${address.label} has no TLS, which requireTls (MICROMEGAS_REQUIRE_TLS) wants`,
    )
  }
  tell(
    `micromegas: WARNING: credentials are sent unencrypted to ${address.label}: anyone on the way can read and use them. ` +
      'Use grpc+tls://; requireTls (MICROMEGAS_REQUIRE_TLS=true) turns this warning into an error',
  )
}

function entrypoint(given: string | undefined, env: Env): string {
  if (given === undefined) return label(env.MICROMEGAS_CLIENT_ENTRYPOINT) ?? 'script'
  const usable = label(given)
  if (usable === undefined)
    throw unusable('clientEntrypoint', `expected 1 to ${MAX_LABEL} characters of printable ASCII`)
  return usable
}

function label(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= MAX_LABEL && /^[\x20-\x7e]+$/.test(text) ? text : undefined
}

/** @throws `TypeError` for what cannot be sent. The message does not repeat the value, which may be a secret. */
export function checkHeaders(
  headers: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[a-z0-9_.-]+$/.test(name) || name.startsWith('grpc-') || name.endsWith('-bin')) {
      throw new TypeError(
        `Cannot send the header ${JSON.stringify(name)}: expected lower-case letters, digits, - _ and .`,
      )
    }
    if (typeof value !== 'string' || !/^[\x20-\x7e]*$/.test(value)) {
      throw new TypeError(`Cannot send the header ${name}: expected printable ASCII`)
    }
  }
  return headers
}

/** @throws `RangeError` unless it is a number of milliseconds that a timer can wait. */
export function checkTimeout(timeoutMs: number | undefined): number | undefined {
  return timeoutMs === undefined ? undefined : limit('timeoutMs', timeoutMs, 1, MAX_TIMER_MS)
}

/** @throws `RangeError` unless `value` is a whole number between the bounds. */
export function limit(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`Cannot use ${option}: expected a whole number from ${least} to ${most}`)
}

function unusable(setting: string, why: string): TelemetryError {
  return new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot use ${setting}: ${why}`)
}
