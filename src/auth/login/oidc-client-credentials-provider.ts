import type { Env } from '../../config/process-env.ts'
import type { AuthProvider } from '../auth-provider.ts'
import { OidcClientCredentialsDecorator } from '../oidc/oidc-client-credentials-decorator.ts'
import type { OidcClientCredentialsOptions } from '../oidc/oidc-options.ts'

/**
 * The access token of a service that asks questions: OAuth 2.0 client credentials, fetched once for all who wait and
 * renewed in the background.
 *
 * @example
 * ```ts
 * const auth = OidcClientCredentialsProvider.fromEnv()
 * ```
 */
export class OidcClientCredentialsProvider implements AuthProvider {
  readonly #tokens: OidcClientCredentialsDecorator

  /** @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` with all that is wrong with the options. */
  constructor(options: OidcClientCredentialsOptions)
  /** @internal */
  constructor(tokens: OidcClientCredentialsDecorator)
  constructor(options: OidcClientCredentialsOptions | OidcClientCredentialsDecorator) {
    this.#tokens =
      options instanceof OidcClientCredentialsDecorator
        ? options
        : new OidcClientCredentialsDecorator(options)
  }

  /**
   * Takes the options from the `MICROMEGAS_OIDC_*` variables.
   *
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` naming every variable that is missing or cannot be used.
   */
  static fromEnv(env: Env = process.env): OidcClientCredentialsProvider {
    return new OidcClientCredentialsProvider(OidcClientCredentialsDecorator.fromEnv(env))
  }

  /**
   * @param options.signal - Ends the waiting of this caller.
   * @throws {@link CredentialsUnavailableError} when there is no token to be had now.
   */
  async getToken(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<string> {
    const token = await this.#tokens.token(options.signal ?? new AbortController().signal)
    return token.reveal()
  }
}
