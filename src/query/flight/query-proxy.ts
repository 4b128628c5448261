import type { Env } from '../../config/process-env.ts'
import { proxyFromEnv } from '../../http/proxy/proxy.ts'
import { TelemetryError } from '../../model/errors.ts'
import type { AnalyticsAddress } from './analytics-uri.ts'

/** A proxy that connections are asked of by CONNECT. */
export interface QueryProxy {
  /** `host:port` */
  readonly authority: string
  /** `user:password`, decoded. */
  readonly credentials: string | undefined
  /** Fit for messages. */
  readonly label: string
}

/**
 * The proxy for an analytics server: the one that is given, or `grpc_proxy`, or the one that the environment names for its
 * scheme, unless `no_grpc_proxy` or `NO_PROXY` excludes the host. A loopback host is proxied only where that is asked for
 * in code.
 *
 * @param given - A URL, `false` for no proxy, `undefined` to look into the environment.
 * @param warn - Gets a line about a variable that names no proxy that can be used: the connection is direct then.
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when the one that is given is no http URL.
 */
export function queryProxy(
  address: AnalyticsAddress,
  given: string | URL | false | undefined,
  env: Env,
  warn: (message: string) => void,
): QueryProxy | undefined {
  if (given === false) return undefined
  if (given !== undefined) {
    const url = URL.canParse(String(given)) ? new URL(given) : undefined
    if (url?.protocol === 'http:') return connectProxy(url)
    throw new TelemetryError('ERR_TELEMETRY_CONFIG', 'Cannot use proxy: expected the URL of an http proxy')
  }
  const grpc = env.grpc_proxy?.trim()
  const noGrpc = env.no_grpc_proxy?.trim()
  const route = proxyFromEnv(
    address.url,
    {
      ...env,
      ...(grpc ? { http_proxy: grpc, https_proxy: grpc } : {}),
      ...(noGrpc ? { no_proxy: noGrpc } : {}),
    },
    warn,
  )
  if (route === undefined) return undefined
  if (route.url.protocol === 'http:') return connectProxy(route.url)
  warn(
    `micromegas: cannot use the proxy ${route.label} for queries: it wants TLS itself; connecting without a proxy`,
  )
  return undefined
}

function connectProxy(url: URL): QueryProxy {
  const { username, password } = url
  return {
    authority: `${url.hostname}:${url.port || '80'}`,
    credentials: username === '' && password === '' ? undefined : `${decoded(username)}:${decoded(password)}`,
    label: url.origin,
  }
}

/** A percent sign that begins no escape is itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What gRPC told last of a proxy. */
let trouble: string | undefined

/**
 * Takes what gRPC logs. That is the one place where it says why a proxy could not be used: the error of the call has no
 * reason. Without this it would be printed.
 */
export function noteProxyTrouble(...words: readonly unknown[]): void {
  const text = words.join(' ')
  const refused = /through proxy \S+ with status (\d+)/.exec(text)?.[1]
  const failed = /Failed to connect to proxy \S+ with error (.*)/s.exec(text)?.[1]
  trouble = refused === undefined ? failed : `it answers CONNECT with status ${refused}`
}

/** Why a proxy could not be used, as far as is known. */
export function proxyTrouble(): string {
  return trouble ?? 'it cannot be used'
}
