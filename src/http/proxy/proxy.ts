import type { Env } from '../../config/process-env.ts'
import { isLoopback } from '../transport-security.ts'
import { isExcluded } from './no-proxy.ts'

/** A forward proxy that uploads go through. */
export interface ProxyRoute {
  /** With credentials where the variable has them: not for messages. */
  readonly url: URL
  /** Scheme, host and port: fit for messages. */
  readonly label: string
}

/** Variables and values that have been told of: whoever reads them next has nothing to add. */
const told = new Set<string>()

/**
 * The proxy that the environment names for a service: `HTTPS_PROXY` or `HTTP_PROXY` by its scheme, then `ALL_PROXY`,
 * unless `NO_PROXY` excludes its host (see {@link isExcluded}); the lower-case spelling wins, as in curl. A loopback host
 * is never proxied: the proxy's loopback is another machine's. In a CGI program `HTTP_PROXY` is what a client sent as a
 * header, and is ignored.
 *
 * These variables are not ours, and set for other programs too. One that names no http or https proxy, such as
 * `socks5://…`, means a direct connection.
 *
 * @param warn - Gets a line about such a variable, once in the life of the process.
 */
export function proxyFromEnv(
  service: URL,
  env: Env,
  warn: (message: string) => void,
): ProxyRoute | undefined {
  const variable = service.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  const found = lookUp(env, variable) ?? lookUp(env, 'all_proxy')
  if (found === undefined) return undefined
  if (isLoopback(service) || isExcluded(service, lookUp(env, 'no_proxy')?.value ?? '')) return undefined
  const url = proxyUrl(found.value)
  if (url !== undefined) return { url, label: url.origin }
  const key = `${found.name}=${found.value}`
  if (!told.has(key)) {
    told.add(key)
    warn(
      `micromegas: cannot use ${found.name}: it is not the URL of an http or https proxy; connecting without a proxy`,
    )
  }
  return undefined
}

/** What a proxy is told of who asks (RFC 9110, section 11.7.2): a header, or nothing where its URL has no credentials. */
export function proxyHeaders({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {}
  const pair = `${decoded(username)}:${decoded(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}

/** A percent sign that begins no escape is itself: a variable is no place for an exception. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function lookUp(env: Env, name: string): { readonly name: string; readonly value: string } | undefined {
  const isCgi = name === 'http_proxy' && env.REQUEST_METHOD !== undefined
  for (const spelling of isCgi ? [name] : [name, name.toUpperCase()]) {
    const value = env[spelling]?.trim()
    if (value !== undefined && value !== '') return { name: spelling, value }
  }
  return undefined
}

function proxyUrl(value: string): URL | undefined {
  // `proxy.example:3128` is common and means http; the URL parser would take `proxy.example:` for the scheme.
  const text = value.includes('://') ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined
}
