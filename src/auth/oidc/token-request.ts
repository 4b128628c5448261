import type { ClientAuth, Configuration } from 'openid-client'
import { CredentialsUnavailableError } from '../errors.ts'
import { Secret } from '../secret.ts'
import type { ClientProof, OpenidClient } from './client-proof.ts'
import { IdentityProviderTransport } from './identity-provider-transport.ts'
import type { IdentityProviderFetch, OidcConfig } from './oidc-options.ts'
import type { IssuedToken } from './token-cache.ts'
import { describeTokenFailure } from './token-failure.ts'

/** Taken for a token whose life the provider does not tell, or tells as no time at all (RFC 6749 section 5.1). */
const ASSUMED_LIFE_MS = 60_000
/** Less than this cannot be renewed sensibly. */
const MIN_LIFE_MS = 1_000
/** The longest life that a common provider offers (Auth0); more is taken for a mistake, milliseconds say. */
const MAX_LIFE_MS = 30 * 24 * 3_600_000

/** What openid-client has to know of the provider, in its names. */
interface Server {
  /** In this grant it is only the audience of a signed assertion, where the token endpoint serves as well. */
  readonly issuer: string
  readonly token_endpoint: string
}

/** Asks the identity provider for tokens: one request at a time, by the client credentials grant. */
export class TokenRequester {
  readonly #config: OidcConfig
  readonly #proof: ClientProof
  readonly #fetch: IdentityProviderFetch
  /** What discovery found; forgotten on any failure, since endpoints move. */
  #discovered: Server | undefined

  constructor(config: OidcConfig, proof: ClientProof, fetch: IdentityProviderFetch) {
    this.#config = config
    this.#proof = proof
    this.#fetch = fetch
  }

  /**
   * Gets a token, with the proof as it is in its file now.
   *
   * @throws {@link CredentialsUnavailableError} For every failure; no secret is in it or its causes.
   */
  async fetchToken(signal: AbortSignal): Promise<IssuedToken> {
    const { requestTimeoutMs: timeoutMs } = this.#config
    const transport = new IdentityProviderTransport(this.#fetch, timeoutMs, signal)
    const proof = await this.#proof.read()
    let action = 'get a token'
    try {
      // Loaded here: most processes use an API key or nothing, and it takes 25 ms.
      const library = await import('./openid-client.ts')
      const authentication = await this.#proof.authentication(library)
      const { provider } = this.#config
      let server = this.#discovered
      if (provider.tokenEndpoint !== undefined) {
        server = { issuer: provider.issuer ?? provider.tokenEndpoint, token_endpoint: provider.tokenEndpoint }
      } else if (server === undefined) {
        action = `discover the token endpoint of ${shownUrl(provider.issuer)}`
        server = await this.#discover(library, transport, provider.issuer)
      }
      action = `get a token from ${shownUrl(server.token_endpoint)}`
      const configuration = this.#configure(library, transport, server, authentication)
      const answer = await library.clientCredentialsGrant(configuration, this.#config.parameters)
      if (answer.token_type !== 'bearer') throw refusal(action, 'it issues no bearer tokens')
      if (/[^\x21-\x7e]/.test(answer.access_token)) {
        throw new CredentialsUnavailableError(
          `Cannot ${action}: the token has characters that no header can carry`,
        )
      }
      return { secret: new Secret(answer.access_token), lifeMs: tokenLifeMs(answer.expires_in) }
    } catch (error) {
      this.#discovered = undefined
      if (error instanceof CredentialsUnavailableError) throw error
      throw describeTokenFailure({
        action,
        error,
        answer: transport.answer,
        secrets: [proof, ...transport.sent],
        timeoutMs,
      })
    }
  }

  async #discover(
    library: OpenidClient,
    transport: IdentityProviderTransport,
    issuer: string,
  ): Promise<Server> {
    const found = await library.discovery(new URL(issuer), this.#config.clientId, undefined, library.None(), {
      // Plain http is for loopback only, and the transport sees to that for every URL.
      execute: [library.allowInsecureRequests],
      // The transport has the limit; the library's own must only not come before it.
      timeout: Math.ceil(this.#config.requestTimeoutMs / 1000) + 60,
      [library.customFetch]: transport.fetch,
    })
    const metadata = found.serverMetadata()
    const endpoint = metadata.token_endpoint
    if (endpoint === undefined || !URL.canParse(endpoint)) {
      throw refusal(`discover the token endpoint of ${shownUrl(issuer)}`, 'its discovery document names none')
    }
    this.#discovered = { issuer: metadata.issuer, token_endpoint: endpoint }
    return this.#discovered
  }

  #configure(
    library: OpenidClient,
    transport: IdentityProviderTransport,
    server: Server,
    authentication: ClientAuth,
  ): Configuration {
    const configuration = new library.Configuration(
      { ...server },
      this.#config.clientId,
      undefined,
      authentication,
    )
    library.allowInsecureRequests(configuration)
    configuration.timeout = undefined // the transport has the limit
    configuration[library.customFetch] = transport.fetch
    return configuration
  }
}

function refusal(action: string, state: string): CredentialsUnavailableError {
  return new CredentialsUnavailableError(`Cannot ${action}: ${state}`, { refused: true })
}

/** A URL as it is shown in messages: without the query, which may hold anything. */
export function shownUrl(text: string): string {
  const url = new URL(text)
  return `${url.origin}${url.pathname}`
}

/** How long a token is taken to be valid, by the provider's `expires_in` in seconds, which may be anything. */
function tokenLifeMs(expiresIn: number | undefined): number {
  if (expiresIn === undefined || !(expiresIn > 0)) return ASSUMED_LIFE_MS
  return Math.min(Math.max(expiresIn * 1000, MIN_LIFE_MS), MAX_LIFE_MS)
}
