import type { AuthProvider } from '../auth-provider.ts'
import { type LoginOptions, loginOptionsFromEnv } from './login-options.ts'
import { OidcAuthProvider } from './oidc-auth-provider.ts'
import { OidcClientCredentialsProvider } from './oidc-client-credentials-provider.ts'

/** Any of these says that the client is a service, which proves itself. */
const PROOFS = [
  'MICROMEGAS_OIDC_CLIENT_SECRET',
  'MICROMEGAS_OIDC_CLIENT_SECRET_FILE',
  'MICROMEGAS_OIDC_CLIENT_ASSERTION_FILE',
  'MICROMEGAS_OIDC_PRIVATE_KEY_FILE',
]

/**
 * The token that the `MICROMEGAS_OIDC_*` variables describe: client credentials where a proof of the client is set, else
 * the login of a person, asked for when the first token is needed. `undefined` when they describe neither.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when a variable cannot be used.
 */
export function oidcProviderFromEnv(env: NodeJS.ProcessEnv): AuthProvider | undefined {
  if (PROOFS.some((name) => env[name]?.trim())) return OidcClientCredentialsProvider.fromEnv(env)
  const login = loginOptionsFromEnv(env)
  return login === undefined ? undefined : new LateLogin(login)
}

/** A login that begins with the first call. */
class LateLogin implements AuthProvider {
  readonly #login: LoginOptions
  #provider: Promise<OidcAuthProvider> | undefined

  constructor(login: LoginOptions) {
    this.#login = login
  }

  async getToken(options?: { readonly signal?: AbortSignal | undefined }): Promise<string> {
    this.#provider ??= OidcAuthProvider.loadOrLogin(this.#login)
    try {
      return await (await this.#provider).getToken(options)
    } catch (error) {
      this.#provider = undefined // the next call tries again
      throw error
    }
  }
}
