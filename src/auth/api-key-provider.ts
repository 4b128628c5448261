import { tell } from '../config/diagnostics.ts'
import type { Env } from '../config/process-env.ts'
import { waitFor } from '../http/wait-for.ts'
import { apiKeyProblem } from './api-key-request-decorator.ts'
import type { AuthProvider } from './auth-provider.ts'
import { CredentialsConfigError } from './config-error.ts'
import { Secret } from './secret.ts'
import { SecretFile, SecretFileError, trimSecretText } from './secret-file.ts'

/** Environment variable of the API key for queries. */
export const ANALYTICS_API_KEY_VARIABLE = 'MICROMEGAS_ANALYTICS_API_KEY'
/** Environment variable of the file that holds it. */
export const ANALYTICS_API_KEY_FILE_VARIABLE = 'MICROMEGAS_ANALYTICS_API_KEY_FILE'

/** Gives an API key for a token. A key in a file is read again before each call, so that a rotated one is used. */
export class ApiKeyProvider implements AuthProvider {
  readonly #key: Secret | SecretFile

  /**
   * @param apiKey - Visible ASCII; white space around it is dropped.
   * @param setting - What the key is called in errors.
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when it is empty or has characters that a header cannot carry.
   */
  constructor(apiKey: string | SecretFile, setting = 'apiKey') {
    if (apiKey instanceof SecretFile) {
      this.#key = apiKey
      return
    }
    const key = normalize(apiKey)
    const problem = apiKeyProblem(key)
    if (problem !== undefined) throw new CredentialsConfigError('the API key', [`${setting} ${problem}`])
    this.#key = new Secret(key)
  }

  /**
   * The key that the environment gives: `MICROMEGAS_ANALYTICS_API_KEY`, or the file that
   * `MICROMEGAS_ANALYTICS_API_KEY_FILE` names; `undefined` when neither is set.
   *
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when both are set, or the key cannot be used; the message names
   * the variable and never holds the value.
   */
  static fromEnv(env: Env, warn: (message: string) => void = tell): ApiKeyProvider | undefined {
    const key = env[ANALYTICS_API_KEY_VARIABLE]?.trim()
    const path = env[ANALYTICS_API_KEY_FILE_VARIABLE]?.trim()
    if (key && path) {
      throw new CredentialsConfigError('the API key', [
        `set ${ANALYTICS_API_KEY_VARIABLE} or ${ANALYTICS_API_KEY_FILE_VARIABLE}, not both`,
      ])
    }
    if (key) return new ApiKeyProvider(key, ANALYTICS_API_KEY_VARIABLE)
    if (!path) return undefined
    try {
      const file = new SecretFile(path, ANALYTICS_API_KEY_FILE_VARIABLE, apiKeyProblem, (message) =>
        warn(`micromegas: ${message}`),
      )
      return new ApiKeyProvider(file)
    } catch (error) {
      if (!(error instanceof SecretFileError)) throw error
      throw new CredentialsConfigError('the API key', [error.message], { cause: error.cause })
    }
  }

  async getToken({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<string> {
    if (this.#key instanceof Secret) return this.#key.reveal()
    const read = this.#key.read()
    return normalize((await (signal === undefined ? read : waitFor(read, signal))).reveal())
  }
}

/** White space around a header's value is dropped on the way, so it cannot be part of a key. */
function normalize(key: string): string {
  return trimSecretText(key).trim()
}
