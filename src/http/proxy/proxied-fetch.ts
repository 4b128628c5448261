import type { Env } from '../../config/process-env.ts'
import { createHttpFetch, type HttpFetchRequest, type HttpFetchResponse } from '../clients/http-fetch.ts'
import { proxyFromEnv } from './proxy.ts'

/**
 * Makes a `fetch` for identity providers that goes by the same proxies as uploads do.
 *
 * @param warn - Gets a line about a variable that names no proxy.
 */
export function proxiedFetch(
  env: Env,
  warn: (message: string) => void,
): (url: string, request: HttpFetchRequest) => Promise<HttpFetchResponse> {
  return createHttpFetch((url) => proxyFromEnv(url, env, warn))
}
