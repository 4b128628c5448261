import type { CustomFetch } from 'openid-client'
import { IdentityProviderTransport } from '../oidc/identity-provider-transport.ts'
import type { IdentityProviderFetch } from '../oidc/oidc-options.ts'

/** The `customFetch` of openid-client, by the part of it that is used. */
export type ProviderFetch = (
  url: string,
  request: {
    readonly method: string
    readonly headers: Record<string, string>
    readonly body?: unknown
  },
) => Promise<Response>

/**
 * Carries what openid-client asks an identity provider on behalf of persons: bounded in time and size, over TLS except to this
 * machine, without following redirects.
 */
export function providerFetch(
  fetch: IdentityProviderFetch,
  timeoutMs: number,
  signal: AbortSignal,
): ProviderFetch {
  // One for each request: it keeps what the last one was answered.
  return (url, request) =>
    new IdentityProviderTransport(fetch, timeoutMs, signal, 'login').fetch(
      url,
      request as Parameters<CustomFetch>[1],
    )
}
