import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'

/** What oidc-provider says of every quick start; what else it has to say is shown. */
const QUICK_START = ['Unsupported runtime.', 'a quick start development-only in-memory adapter is used']

export interface LocalIdentityProvider {
  readonly issuer: string
  readonly audience: string
  /** What the service's environment has to say about it. */
  readonly environment: Record<string, string>
  close(): void
}

/** A real OpenID provider on this machine with one client, for client credentials. */
export async function startIdentityProvider(): Promise<LocalIdentityProvider> {
  const audience = 'https://telemetry.demo/ingestion'
  const clientSecret = 'demo-client-secret'
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const restoreWarnings = muteQuickStart()
  const { Provider } = await import('oidc-provider')
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'demo', alg: 'RS256', use: 'sig' }] },
    clients: [
      {
        client_id: 'orders',
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    ttl: { ClientCredentials: 60 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'ingest',
          audience,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })
  restoreWarnings()
  server.on('request', provider.callback())
  return {
    issuer,
    audience,
    environment: {
      MICROMEGAS_OIDC_TOKEN_ENDPOINT: `${issuer}/token`,
      MICROMEGAS_OIDC_CLIENT_ID: 'orders',
      MICROMEGAS_OIDC_CLIENT_SECRET: clientSecret,
      MICROMEGAS_OIDC_RESOURCE: audience,
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** The provider has no option for this: it writes to the console when it is loaded and when it is made. */
function muteQuickStart(): () => void {
  const { warn } = console
  console.warn = (...line: unknown[]) => {
    if (!QUICK_START.some((text) => String(line[0]).includes(`oidc-provider WARNING: ${text}`))) warn(...line)
  }
  return () => {
    console.warn = warn
  }
}
