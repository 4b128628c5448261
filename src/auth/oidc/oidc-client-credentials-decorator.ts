import type { Env } from '../../config/process-env.ts'
import { waitFor } from '../../http/wait-for.ts'
import { optionNames, type SettingNames } from '../config-error.ts'
import { CredentialsUnavailableError } from '../errors.ts'
import type { DecoratedRequest, RequestDecorator } from '../request-decorator.ts'
import type { Secret } from '../secret.ts'
import type { ClientProof } from './client-proof.ts'
import { oidcOptionsFromEnv, oidcVariableNames } from './oidc-env.ts'
import type { OidcClientCredentialsOptions } from './oidc-options.ts'
import { openTokens } from './open-tokens.ts'
import type { TokenCache } from './token-cache.ts'

/** With the proof in a file, a refused client looks there this often: mending the file heals it sooner. */
const FILE_CHECK_MS = 30_000

/** The named options, and none of the others. */
export type OidcRuntimeOptions = Pick<OidcClientCredentialsOptions, 'fetch' | 'warn' | 'now' | 'random'>

/**
 * Authenticates uploads with an access token that the service gets for itself: OAuth 2.0 client credentials.
 *
 * The token is shared by all requests and renewed in the background before it expires; only a request with no valid token
 * waits. While the identity provider cannot give one, {@link decorate} fails at once with
 * {@link CredentialsUnavailableError} and says when asking again makes sense.
 *
 * @example
 * ```ts
 * const decorator = new OidcClientCredentialsDecorator({
 *   tokenEndpoint: 'https://login.example.com/oauth/token',
 *   clientId: 'shop',
 *   clientSecretFile: '/var/run/secrets/shop/client-secret',
 *   audience: 'https://telemetry.example.com',
 * })
 * ```
 */
export class OidcClientCredentialsDecorator implements RequestDecorator {
  readonly #proof: ClientProof
  readonly #tokens: TokenCache
  readonly #warn: (message: string) => void
  readonly #refusedRetrySeconds: number
  /** The refusal that was told last; told again only after it ended or changed. */
  #told: string | undefined
  /** The proof that the provider refused. */
  #refusedProof: Secret | undefined
  /** The proof that the request for a token under way, or the last one, was made with. */
  #sentProof: Secret | undefined

  /**
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` with all that is wrong with the options; files must exist. It
   * says nothing about whether the provider accepts them: that is found out with the first request.
   */
  constructor(options: OidcClientCredentialsOptions)
  /** @internal */
  constructor(options: OidcClientCredentialsOptions, names?: SettingNames)
  constructor(options: OidcClientCredentialsOptions, names: SettingNames = optionNames) {
    const { tokens, proof, warn, refusedRetryMs } = openTokens(options, names, {
      onRequest: (sent) => {
        this.#sentProof = sent
      },
      onOutcome: (error) => this.#onOutcome(error),
    })
    this.#tokens = tokens
    this.#proof = proof
    this.#warn = warn
    this.#refusedRetrySeconds = Math.ceil(refusedRetryMs / 1000)
  }

  /**
   * Takes the options from the `MICROMEGAS_OIDC_*` variables.
   *
   * @param runtime - What no variable can say.
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` naming every variable that is missing or cannot be used; the
   * message never holds a value.
   */
  static fromEnv(env: Env = process.env, runtime: OidcRuntimeOptions = {}): OidcClientCredentialsDecorator {
    const options = oidcOptionsFromEnv(env) ?? { clientId: '' }
    return new OidcClientCredentialsDecorator({ ...options, ...runtime }, oidcVariableNames)
  }

  /**
   * Sets the header; without waiting while there is a valid token.
   *
   * @throws {@link CredentialsUnavailableError} when there is no token to be had now.
   */
  decorate(request: DecoratedRequest, signal: AbortSignal): void | Promise<void> {
    const token = this.#tokens.current()
    if (token !== undefined) return authorize(request, token)
    return this.#waitForToken(signal).then((secret) => authorize(request, secret))
  }

  /**
   * The token itself, for calls that are not uploads.
   *
   * @internal
   */
  async token(signal: AbortSignal): Promise<Secret> {
    return this.#tokens.current() ?? this.#waitForToken(signal)
  }

  /** Forgets the token that the request carried, unless a newer one has taken its place. */
  onRejected(request: DecoratedRequest): void {
    const token = /^bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    if (token !== undefined) this.#tokens.invalidate(token)
  }

  /** Abandons a request to the identity provider that is under way, so that nothing keeps the process from ending. */
  close(): void {
    this.#tokens.cancel()
  }

  async #waitForToken(signal: AbortSignal): Promise<Secret> {
    const blocked = this.#tokens.blockedBy()
    if (blocked?.refused === true && this.#proof.isFile) {
      const proof = await waitFor(this.#proof.read(), signal)
      if (proof === this.#refusedProof) throw withinFileCheck(blocked)
      this.#tokens.forgetFailure()
    }
    return this.#acquire(signal)
  }

  async #acquire(signal: AbortSignal): Promise<Secret> {
    try {
      return await this.#tokens.acquire(signal)
    } catch (error) {
      const blocked = this.#proof.isFile ? this.#tokens.blockedBy() : undefined
      throw blocked?.refused === true ? withinFileCheck(blocked) : error
    }
  }

  #onOutcome(error: CredentialsUnavailableError | undefined): void {
    if (error === undefined) {
      this.#refusedProof = undefined
      if (this.#told === undefined) return
      this.#told = undefined
      this.#warn('micromegas: the identity provider issues tokens again; uploads go on')
      return
    }
    // Passing trouble is told by whoever waits for the token, when it holds up uploads.
    if (!error.refused) return
    this.#refusedProof = this.#sentProof
    if (this.#told === error.message) return
    this.#told = error.message
    this.#warn(
      `micromegas: ${error.message}. Uploads pause, their data is kept within its limits, and the provider is asked ` +
        `again about every ${this.#refusedRetrySeconds} s: mend the client's settings; what changes at the provider or in a secret file needs no restart`,
    )
  }
}

function authorize(request: DecoratedRequest, token: Secret): void {
  request.headers.set('authorization', `Bearer ${token.reveal()}`)
}

function withinFileCheck(error: CredentialsUnavailableError): CredentialsUnavailableError {
  const retryAfterMs = Math.min(error.retryAfterMs ?? FILE_CHECK_MS, FILE_CHECK_MS)
  return new CredentialsUnavailableError(error.message, { retryAfterMs, refused: true, cause: error.cause })
}
