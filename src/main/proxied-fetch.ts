import type { IdentityProviderFetch } from '../auth/oidc-options.ts'
import { proxyFromEnv } from '../http/proxy.ts'

const PROXY_VARIABLES = ['https_proxy', 'http_proxy', 'all_proxy']

/**
 * Token requests by the same proxy that uploads take. `undefined` where the environment names none: Node's own `fetch`
 * serves then, and undici need not be loaded for it.
 *
 * @param warn - Gets a line about a variable that names no proxy.
 */
export function proxiedFetch(
  env: NodeJS.ProcessEnv,
  warn: (message: string) => void,
): IdentityProviderFetch | undefined {
  if (!PROXY_VARIABLES.some((name) => env[name]?.trim() || env[name.toUpperCase()]?.trim())) return undefined
  return async (url, request) => {
    const { fetch, ProxyAgent } = await import('undici')
    const route = proxyFromEnv(new URL(url), env, warn)
    if (route === undefined) return fetch(url, request)
    // One agent a request: tokens are asked for every few minutes, and a connection kept so long would be stale.
    const dispatcher = new ProxyAgent({ uri: route.url.href, pipelining: 0 })
    try {
      const response = await fetch(url, { ...request, dispatcher })
      // The body is a few kilobytes; it is read here so that the connection can be closed.
      const body = new Uint8Array(await response.arrayBuffer())
      return { status: response.status, headers: response.headers, body: chunks(body) }
    } finally {
      await dispatcher.destroy()
    }
  }
}

async function* chunks(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body
}
