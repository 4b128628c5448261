import type { IncomingMessage, ServerResponse } from 'node:http'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose'
import { Provider } from 'oidc-provider'
import { startServer } from './http-server.ts'

export const AUDIENCE = 'https://telemetry.test/ingestion'

export interface IdentityProviderOptions {
  readonly tokenSeconds?: number
  readonly secret?: string
}

/** Looks at a request first; `true` when it answered. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean

export interface IdentityProvider extends AsyncDisposable {
  readonly issuer: string
  readonly tokenEndpoint: string
  /** Signs the assertions of the client `key-client`. */
  readonly clientKey: CryptoKey
  readonly clientKeyJwk: JWK
  readonly tokenRequests: number
  /** The most requests for a token that were answered at one time. */
  readonly maxActive: number
  /** The secret of `post-client` and `basic-client` from now on. */
  setSecret(secret: string): void
  /** Looks at requests for a token. */
  intercept: Intercept | undefined
  /** Looks at all requests, those for keys and the discovery document too. */
  interceptAll: Intercept | undefined
}

/**
 * A real OpenID provider on 127.0.0.1 with the clients `post-client`, `basic-client` (named after how they present their
 * secret) and `key-client` (a signed assertion). Tokens are RS256 JWTs for the resource {@link AUDIENCE}.
 */
export async function startIdentityProvider(
  options: IdentityProviderOptions = {},
): Promise<IdentityProvider> {
  const { tokenSeconds = 300, secret = 'first-secret' } = options
  const signing = await generateKeyPair('RS256', { extractable: true })
  const client = await generateKeyPair('ES256', { extractable: true })
  const clientKeyJwk = await exportJWK(client.privateKey)
  const jwks = {
    keys: [{ ...(await exportJWK(signing.privateKey)), kid: 'signing', alg: 'RS256', use: 'sig' }],
  }
  const clientJwks = { keys: [{ ...(await exportJWK(client.publicKey)), kid: 'client-key', alg: 'ES256' }] }

  const state: {
    intercept: Intercept | undefined
    interceptAll: Intercept | undefined
    callback: ReturnType<Provider['callback']> | undefined
  } = { intercept: undefined, interceptAll: undefined, callback: undefined }
  let tokenRequests = 0
  let active = 0
  let maxActive = 0
  const server = await startServer((request, response) => {
    if (request.url?.startsWith('/token')) {
      tokenRequests++
      active++
      maxActive = Math.max(maxActive, active)
      response.on('close', () => {
        active--
      })
      if (state.intercept?.(request, response)) return
    }
    if (state.interceptAll?.(request, response)) return
    return state.callback?.(request, response)
  })

  const build = (clientSecret: string): void => {
    const common = {
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'telemetry',
    }
    const provider = new Provider(server.origin, {
      clients: [
        {
          ...common,
          client_id: 'post-client',
          client_secret: clientSecret,
          token_endpoint_auth_method: 'client_secret_post',
        },
        {
          ...common,
          client_id: 'basic-client',
          client_secret: clientSecret,
          token_endpoint_auth_method: 'client_secret_basic',
        },
        {
          ...common,
          client_id: 'key-client',
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: 'ES256',
          jwks: clientJwks,
        },
      ],
      scopes: ['telemetry', 'admin'], // no client may have 'admin'
      jwks,
      cookies: { keys: ['unused'] },
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_context: unknown, resource: string) => ({
            scope: 'telemetry',
            audience: resource,
            accessTokenTTL: tokenSeconds,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    })
    state.callback = provider.callback()
  }
  build(secret)

  return {
    issuer: server.origin,
    tokenEndpoint: `${server.origin}/token`,
    clientKey: client.privateKey,
    clientKeyJwk,
    get tokenRequests() {
      return tokenRequests
    },
    get maxActive() {
      return maxActive
    },
    setSecret: build,
    get intercept() {
      return state.intercept
    },
    set intercept(next: Intercept | undefined) {
      state.intercept = next
    },
    get interceptAll() {
      return state.interceptAll
    },
    set interceptAll(next: Intercept | undefined) {
      state.interceptAll = next
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
