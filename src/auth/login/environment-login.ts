import type { Env } from '../../config/process-env.ts'
import type { AuthProvider } from '../auth-provider.ts'
import { OIDC_VARIABLES } from '../oidc/oidc-env.ts'
import { type LoginOptions, loginOptionsFromEnv } from './login-options.ts'
import { OidcAuthProvider } from './oidc-auth-provider.ts'
import { OidcClientCredentialsProvider } from './oidc-client-credentials-provider.ts'

const PROOFS = ['clientSecret', 'clientSecretFile', 'clientAssertionFile', 'privateKeyFile'] as const

/** Whether the environment has something that a client proves itself with, as services do. */
export function hasClientProof(env: Env): boolean {
  return PROOFS.some((option) => env[OIDC_VARIABLES[option]]?.trim())
}

/**
 * The token that the `MICROMEGAS_OIDC_*` variables describe: client credentials where a proof of the client is set, else
 * the login of a person, asked for when the first token is needed. `undefined` when they describe neither.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when a variable cannot be used.
 */
export function oidcProviderFromEnv(env: Env): AuthProvider | undefined {
  if (hasClientProof(env)) return OidcClientCredentialsProvider.fromEnv(env)
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
