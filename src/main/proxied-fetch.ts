import type { IdentityProviderFetch } from '../auth/oidc-options.ts'
import { createHttpFetch } from '../http/http-fetch.ts'
import { proxyFromEnv } from '../http/proxy.ts'

/**
 * Requests for tokens, by the same proxy that uploads take.
 *
 * @param warn - Gets a line about a variable that names no proxy.
 */
export function proxiedFetch(env: NodeJS.ProcessEnv, warn: (message: string) => void): IdentityProviderFetch {
  return createHttpFetch((url) => proxyFromEnv(url, env, warn))
}
