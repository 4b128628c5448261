import type { IncomingMessage } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import { Provider } from 'oidc-provider'
import { startServer } from './http-server.ts'

export interface LoginProviderOptions {
  readonly idTokenSeconds?: number
  /** Appended to the address that the provider calls itself by. */
  readonly issuerPath?: string
  /** Where people are sent back to; on this machine with any port. @defaultValue `http://localhost/callback` */
  readonly redirectUri?: string
}

export interface LoginProvider extends AsyncDisposable {
  readonly issuer: string
  /** Grant types of the requests for a token, in order. */
  readonly grants: readonly string[]
  /** Refuses or delays requests for a token: the status to answer with, or `undefined` to let it pass. */
  tokenFault: ((grant: string) => Promise<number | undefined> | number | undefined) | undefined
}

/**
 * A real OpenID provider on 127.0.0.1 where anybody can log in by any name: the public client `cli`, and `web` with the
 * secret `web-secret`. Refresh tokens rotate: one that is used twice ends the login.
 */
export async function startLoginProvider(options: LoginProviderOptions = {}): Promise<LoginProvider> {
  const { idTokenSeconds = 3600, redirectUri = 'http://localhost/callback' } = options
  const signing = await generateKeyPair('RS256', { extractable: true })
  const jwks = {
    keys: [{ ...(await exportJWK(signing.privateKey)), kid: 'signing', alg: 'RS256', use: 'sig' }],
  }
  const grants: string[] = []
  let callback: ReturnType<Provider['callback']> | undefined
  const state: { tokenFault: LoginProvider['tokenFault'] } = { tokenFault: undefined }
  const server = await startServer(async (request, response) => {
    if (request.method === 'POST' && request.url?.endsWith('/token')) {
      const grant = await grantOf(request)
      grants.push(grant)
      const status = await state.tokenFault?.(grant)
      if (status !== undefined) {
        response.writeHead(status).end()
        return
      }
    }
    await callback?.(request, response)
  })
  const common = {
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    redirect_uris: [redirectUri],
    response_types: ['code' as const],
    application_type: 'native' as const,
  }
  const provider = new Provider(`${server.origin}${options.issuerPath ?? ''}`, {
    clients: [
      { ...common, client_id: 'cli', token_endpoint_auth_method: 'none' },
      {
        ...common,
        client_id: 'web',
        client_secret: 'web-secret',
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    jwks,
    cookies: { keys: ['a cookie key'] },
    claims: { openid: ['sub'], email: ['email'], profile: ['name'] },
    conformIdTokenClaims: false,
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com`, name: id }),
    }),
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    ttl: {
      IdToken: idTokenSeconds,
      AccessToken: idTokenSeconds,
      RefreshToken: 86_400,
      Grant: 86_400,
      Session: 86_400,
      Interaction: 600,
      DeviceCode: 600,
      AuthorizationCode: 60,
    },
    features: {
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      devInteractions: { enabled: true },
    },
  })
  // How often to ask whether the code was entered: without a word it is every five seconds (RFC 8628, section 3.2).
  provider.use(async (context, next) => {
    await next()
    if (context.path.endsWith('/device/auth')) Object.assign(context.body, { interval: 1 })
  })
  callback = provider.callback()
  return {
    issuer: `${server.origin}${options.issuerPath ?? ''}`,
    grants,
    get tokenFault() {
      return state.tokenFault
    },
    set tokenFault(fault) {
      state.tokenFault = fault
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Reads the form without taking it from the provider, which reads `request.body` where that is set. */
async function grantOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += chunk
  Object.assign(request, { body })
  return new URLSearchParams(body).get('grant_type') ?? ''
}
