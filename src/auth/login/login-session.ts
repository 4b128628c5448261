import type { Configuration, TokenEndpointResponse, TokenEndpointResponseHelpers } from 'openid-client'
import { CredentialsUnavailableError } from '../errors.ts'
import { IdentityProviderTransport } from '../oidc/identity-provider-transport.ts'
import { describeTokenFailure } from '../oidc/token-failure.ts'
import type { Secret } from '../secret.ts'
import { authorizationParameters, discoverIssuer } from './issuers.ts'
import { LoginRequiredError } from './login-error.ts'
import type { LoginClient } from './login-options.ts'
import { readIdToken } from './tokens/id-token.ts'
import type { StoredToken } from './tokens/token-file.ts'

type Library = typeof import('../oidc/openid-client.ts')
type Answer = TokenEndpointResponse & TokenEndpointResponseHelpers

const REQUEST_TIMEOUT_MS = 10_000
/** How far this machine's clock and the provider's may be apart. */
const CLOCK_TOLERANCE_S = 60

/** The provider's word that the login has ended, which a person has to mend. */
export class GrantEndedError extends LoginRequiredError {
  override readonly name: string = 'GrantEndedError'
}

/** One conversation with an identity provider on behalf of a person: discovery, and the grants of {@link LoginClient}. */
export class LoginSession {
  readonly #client: LoginClient
  readonly #library: Library
  readonly #transport: IdentityProviderTransport
  #configuration: Configuration | undefined

  private constructor(client: LoginClient, library: Library, signal: AbortSignal) {
    this.#client = client
    this.#library = library
    this.#transport = new IdentityProviderTransport(client.fetch, REQUEST_TIMEOUT_MS, signal, 'login')
  }

  /** @throws {@link CredentialsUnavailableError} when the provider cannot be asked for its endpoints. */
  static async open(client: LoginClient, signal: AbortSignal): Promise<LoginSession> {
    const session = new LoginSession(client, await import('../oidc/openid-client.ts'), signal)
    session.#configuration = await session.attempt(`discover the endpoints of ${client.issuer}`, () =>
      discoverIssuer(client.issuer, (issuer) => session.#configure(issuer)),
    )
    return session
  }

  get library(): Library {
    return this.#library
  }

  get configuration(): Configuration {
    return this.#configuration as Configuration
  }

  /** The parameters that each authorization request has. */
  get parameters(): Record<string, string> {
    return authorizationParameters(this.#client)
  }

  /**
   * Runs a grant and keeps what it gives.
   *
   * @param what - For messages: `log in at`.
   * @throws {@link GrantEndedError} when the provider says that the grant has ended; {@link CredentialsUnavailableError}
   * for everything else. No secret is in either.
   */
  async grant(what: string, run: () => Promise<Answer>): Promise<StoredToken> {
    const answer = await this.attempt(`${what} ${this.#client.issuer}`, run)
    if (answer.id_token === undefined) {
      throw new CredentialsUnavailableError(
        `Cannot ${what} ${this.#client.issuer}: it sent no ID token; the scope must hold openid`,
        { refused: true },
      )
    }
    readIdToken(answer.id_token) // refuses one that nobody signed
    const seconds = answer.expiresIn()
    return {
      access_token: answer.access_token,
      id_token: answer.id_token,
      refresh_token: answer.refresh_token,
      token_type: 'Bearer', // as the provider spells it; openid-client has made it small
      expires_in: seconds,
      scope: answer.scope ?? this.#client.scope,
      expires_at: seconds === undefined ? undefined : Math.floor(Date.now() / 1000) + seconds,
    }
  }

  /** Exchanges a refresh token. The new tokens have the old refresh token where the answer brings no new one. */
  async refresh(token: StoredToken): Promise<StoredToken> {
    const refreshToken = token.refresh_token as string
    const fresh = await this.grant('refresh the login at', () =>
      // Without a scope: the provider may have granted less than was asked for, and refuses to refresh more than that.
      this.#library.refreshTokenGrant(this.configuration, refreshToken),
    )
    const before = token.id_token === undefined ? undefined : readIdToken(token.id_token)
    const after = readIdToken(fresh.id_token as string)
    // OpenID Connect Core section 12.2.
    if (before !== undefined && after?.sub !== before.sub) {
      throw new GrantEndedError(
        `Cannot refresh the login at ${this.#client.issuer}: the answer is for another user; log in again`,
      )
    }
    return { ...fresh, refresh_token: fresh.refresh_token ?? refreshToken }
  }

  /** Makes the provider forget a refresh token (RFC 7009), where it has an endpoint for that. */
  async revoke(refreshToken: string): Promise<boolean> {
    if (this.configuration.serverMetadata().revocation_endpoint === undefined) return false
    await this.attempt(`log out at ${this.#client.issuer}`, () =>
      this.#library.tokenRevocation(this.configuration, refreshToken),
    )
    return true
  }

  async #configure(issuer: string): Promise<Configuration> {
    const { clientId, clientSecret } = this.#client
    const library = this.#library
    const authentication =
      clientSecret === undefined ? library.None() : library.ClientSecretPost(clientSecret.reveal())
    const configuration = await library.discovery(
      new URL(issuer),
      clientId,
      { [library.clockTolerance]: CLOCK_TOLERANCE_S },
      authentication,
      {
        execute: [library.allowInsecureRequests, library.enableNonRepudiationChecks],
        timeout: REQUEST_TIMEOUT_MS / 1000 + 60, // the transport has the limit
        [library.customFetch]: this.#transport.fetch,
      },
    )
    configuration.timeout = undefined
    return configuration
  }

  /** Runs one exchange with the provider; failures are told without any secret. */
  async attempt<T>(action: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if (error instanceof LoginRequiredError) throw error
      const { answer, sent } = this.#transport
      const secret = this.#client.clientSecret
      const secrets: Secret[] = secret === undefined ? [...sent] : [secret, ...sent]
      const described = describeTokenFailure({
        action,
        error,
        answer,
        secrets,
        timeoutMs: REQUEST_TIMEOUT_MS,
      })
      if (answer?.error === 'invalid_grant') {
        throw new GrantEndedError(`${described.message}; log in again`, { cause: described.cause })
      }
      throw described
    }
  }
}
