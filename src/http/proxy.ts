import { TelemetryError } from '../model/errors.ts'
import { isLoopback } from './transport-security.ts'

/** A forward proxy that uploads go through. */
export interface ProxyRoute {
  /** With credentials where the variable has them: not for messages. */
  readonly url: URL
  /** Scheme, host and port: fit for messages. */
  readonly label: string
}

type ProxyEnv = Readonly<Record<string, string | undefined>>

/**
 * The proxy that the environment names for a service: `HTTPS_PROXY` or `HTTP_PROXY` by its scheme, then `ALL_PROXY`,
 * unless `NO_PROXY` excludes its host; the lower-case spelling wins, as in curl. A loopback host is never proxied: the
 * proxy's loopback is another machine's.
 *
 * `NO_PROXY` holds `*`, or names separated by commas or blanks: `host`, `.domain`, `*.domain` (a name covers its
 * subdomains), each with an optional `:port`.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when the variable in force is no http or https URL.
 */
export function proxyFromEnv(service: URL, env: ProxyEnv): ProxyRoute | undefined {
  const variable = service.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  const found = lookUp(env, variable) ?? lookUp(env, 'all_proxy')
  if (found === undefined) return undefined
  if (isLoopback(service) || isExcluded(service, lookUp(env, 'no_proxy')?.value ?? '')) return undefined
  return route(found.name, found.value)
}

function lookUp(env: ProxyEnv, name: string): { readonly name: string; readonly value: string } | undefined {
  for (const spelling of [name, name.toUpperCase()]) {
    const value = env[spelling]?.trim()
    if (value !== undefined && value !== '') return { name: spelling, value }
  }
  return undefined
}

function isExcluded(service: URL, noProxy: string): boolean {
  const port = service.port || (service.protocol === 'https:' ? '443' : '80')
  return noProxy.split(/[,\s]+/).some((entry) => {
    if (entry === '*') return true
    const [, name = '', entryPort] = /^(.*?)(?::(\d+))?$/.exec(bracketed(entry)) ?? []
    if (entryPort !== undefined && entryPort !== port) return false
    const host = name.replace(/^\*?\./, '').toLowerCase()
    return host !== '' && (service.hostname === host || service.hostname.endsWith(`.${host}`))
  })
}

/** `fd00::1` as URLs spell it: a name with two colons is an IPv6 address, not a host and a port. */
function bracketed(entry: string): string {
  return entry.startsWith('[') || entry.split(':').length < 3 ? entry : `[${entry}]`
}

function route(variable: string, value: string): ProxyRoute {
  // `proxy.example:3128` is common and means http; the URL parser would take `proxy.example:` for the scheme.
  const text = value.includes('://') ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TelemetryError(
      'ERR_TELEMETRY_CONFIG',
      `Cannot use ${variable}: expected the URL of an http or https proxy`,
    )
  }
  return { url, label: url.origin }
}
