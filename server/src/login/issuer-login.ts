import {
  authorizationParameters,
  DEFAULT_SCOPE,
  discoverIssuer,
  errorMessage,
  type IdentityProviderFetch,
  isLoopbackHost,
  providerFetch,
} from 'micromegas/wire'
import type { Configuration, TokenEndpointResponse, TokenEndpointResponseHelpers } from 'openid-client'
import type { MicromegasServerConfig } from '../options.ts'
import { type BegunLogin, LoginRefused, type PageLogin, type PageTokens } from './page-login.ts'

const REQUEST_TIMEOUT_MS = 10_000
/** A discovery document is read again after this long. */
const DISCOVERY_MS = 3_600_000
const CLOCK_TOLERANCE_SECONDS = 5
/** Of an issuer's text, what is shown. */
const MAX_REASON_CHARS = 500

type Library = typeof import('openid-client')

/** What logins need of the server. */
export interface IssuerLoginMeans {
  readonly fetch: IdentityProviderFetch
  readonly signal: AbortSignal
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

export interface IssuerLoginOptions extends IssuerLoginMeans {
  readonly login: PageLogin
  /** Whether the ID tokens of its client are accepted. */
  readonly sendsIdToken: boolean
}

/** The logins that a server's page offers. */
export function issuerLogins(
  { pageLogin, doors }: Pick<MicromegasServerConfig, 'pageLogin' | 'doors'>,
  means: IssuerLoginMeans,
): readonly IssuerLogin[] {
  const accepted = doors.analytics.oidc?.issuers ?? []
  return pageLogin.map((login) => {
    const sendsIdToken = accepted.some(
      ({ issuer, audience }) => issuer === login.issuer && audience === login.clientId,
    )
    return new IssuerLogin({ ...means, login, sendsIdToken })
  })
}

/**
 * The server's part of a login on the page: the authorization code flow with PKCE. The page talks to this server only, so codes and
 * refresh tokens pass through here, and nothing of them is kept.
 */
export class IssuerLogin {
  readonly #options: IssuerLoginOptions
  #discovered: { readonly configuration: Promise<Configuration>; readonly atMs: number } | undefined

  constructor(options: IssuerLoginOptions) {
    this.#options = options
  }

  get issuer(): string {
    return this.#options.login.issuer
  }

  /** @throws {@link LoginRefused} */
  begin(redirectUri: string): Promise<BegunLogin> {
    const { login } = this.#options
    return this.#attempt(async (library, configuration) => {
      const [state, nonce, verifier] = [
        library.randomState(),
        library.randomNonce(),
        library.randomPKCECodeVerifier(),
      ]
      const url = library.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        ...authorizationParameters({ ...login, scope: login.scope ?? DEFAULT_SCOPE }),
        state,
        nonce,
        code_challenge: await library.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      return { url: url.href, state, nonce, verifier }
    })
  }

  /**
   * @param answer - The address that the issuer sent the person back to.
   * @throws {@link LoginRefused}
   */
  finish(answer: URL, { state, nonce, verifier }: Omit<BegunLogin, 'url'>): Promise<PageTokens> {
    const refusal = answer.searchParams.get('error')
    if (refusal !== null) {
      const description = answer.searchParams.get('error_description')
      throw new LoginRefused(cut([refusal, description].filter(Boolean).join(': ')))
    }
    return this.#attempt(async (library, configuration) =>
      this.#tokens(
        await library.authorizationCodeGrant(configuration, answer, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        }),
      ),
    )
  }

  /** @throws {@link LoginRefused} */
  refresh(refreshToken: string): Promise<PageTokens> {
    return this.#attempt(async (library, configuration) => {
      const tokens = this.#tokens(await library.refreshTokenGrant(configuration, refreshToken))
      // An answer without a new one means that the old one stays.
      return { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken }
    })
  }

  #tokens(answer: TokenEndpointResponse & TokenEndpointResponseHelpers): PageTokens {
    const claims = answer.claims()
    const { sendsIdToken } = this.#options
    const token = sendsIdToken ? answer.id_token : answer.access_token
    if (token === undefined) throw new LoginRefused('the issuer gave no ID token')
    const idTokenSeconds = claims === undefined ? undefined : claims.exp - claims.iat
    const user = [claims?.email, claims?.name, claims?.sub].find((name) => typeof name === 'string')
    return {
      token,
      expiresInSeconds: sendsIdToken ? idTokenSeconds : answer.expiresIn(),
      refreshToken: answer.refresh_token,
      user: user as string | undefined,
    }
  }

  async #attempt<T>(run: (library: Library, configuration: Configuration) => Promise<T>): Promise<T> {
    const library = await import('openid-client')
    try {
      return await run(library, await this.#configuration(library))
    } catch (error) {
      if (error instanceof LoginRefused) throw error
      throw new LoginRefused(cut(reasonOf(error)))
    }
  }

  #configuration(library: Library): Promise<Configuration> {
    const now = this.#options.clock()
    if (this.#discovered !== undefined && now - this.#discovered.atMs < DISCOVERY_MS) {
      return this.#discovered.configuration
    }
    const configuration = discoverIssuer(this.issuer, (issuer) => this.#discover(library, issuer))
    const discovered = { configuration, atMs: now }
    this.#discovered = discovered
    configuration.catch(() => {
      if (this.#discovered === discovered) this.#discovered = undefined
    })
    return configuration
  }

  #discover(library: Library, issuer: string): Promise<Configuration> {
    const { login, fetch, signal } = this.#options
    const { clientId, clientSecret } = login
    const url = new URL(issuer)
    return library.discovery(
      url,
      clientId,
      { [library.clockTolerance]: CLOCK_TOLERANCE_SECONDS },
      clientSecret === undefined ? library.None() : library.ClientSecretPost(clientSecret),
      {
        execute: isLoopbackHost(url.hostname) ? [library.allowInsecureRequests] : [],
        [library.customFetch]: providerFetch(fetch, REQUEST_TIMEOUT_MS, signal),
      },
    )
  }
}

/**
 * Of the library's errors: what the issuer said, or what is wrong with what it said, or why it cannot be asked, which stands in the
 * cause. They show no token.
 */
function reasonOf(error: unknown): string {
  const { error: code, error_description: description, cause } = error as Readonly<Record<string, unknown>>
  if (typeof code === 'string')
    return [code, description].filter((text) => typeof text === 'string').join(': ')
  return errorMessage(cause instanceof Error ? cause : error)
}

function cut(text: string): string {
  return text.length > MAX_REASON_CHARS ? `${text.slice(0, MAX_REASON_CHARS)}…` : text
}
