import { createHttpFetch, type HttpFetchRequest, type HttpFetchResponse } from '../clients/http-fetch.ts'
import { type ProxyEnv, proxyFromEnv } from './proxy.ts'

/**
 * Makes a `fetch` for identity providers that goes by the same proxies as uploads do.
 *
 * @param warn - Gets a line about a variable that names no proxy.
 */
export function proxiedFetch(
  env: ProxyEnv,
  warn: (message: string) => void,
): (url: string, request: HttpFetchRequest) => Promise<HttpFetchResponse> {
  return createHttpFetch((url) => proxyFromEnv(url, env, warn))
}
