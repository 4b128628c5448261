import { tell } from '../config/diagnostics.ts'
import type { Env } from '../config/process-env.ts'
import { waitFor } from '../http/wait-for.ts'
import { CredentialsConfigError } from './config-error.ts'
import type { DecoratedRequest, RequestDecorator } from './request-decorator.ts'
import { isSecret, Secret } from './secret.ts'
import { SecretFile, SecretFileError, trimSecretText } from './secret-file.ts'

/** Environment variable of the API key. */
export const API_KEY_VARIABLE = 'MICROMEGAS_INGESTION_API_KEY'
/** Environment variable of the file that holds the API key. */
export const API_KEY_FILE_VARIABLE = 'MICROMEGAS_INGESTION_API_KEY_FILE'

/** Where an API key is, other than in the text given to the constructor. */
export interface ApiKeyFileOptions {
  /** The option or variable that holds the path, for messages. @defaultValue `'apiKeyFile'` */
  readonly setting?: string | undefined
  /** Told once when the file stops being usable. @defaultValue where the package's messages go */
  readonly warn?: ((message: string) => void) | undefined
}

/**
 * What is wrong with an API key, without quoting it. The server reads the header as visible ASCII, so a character
 * outside of it would be refused there with a message that says nothing about the reason.
 */
export function apiKeyProblem(key: string): string | undefined {
  if (key.trim() === '') return 'is empty'
  if (/[^\x20-\x7e]/.test(key))
    return 'has characters that an HTTP header cannot carry (ASCII letters, digits and signs only)'
  return undefined
}

/** The key as it goes into the header: HTTP drops white space around a header's value, so it cannot be part of a key. */
function normalizeKey(key: string): string {
  return trimSecretText(key).trim()
}

/**
 * Authenticates uploads with an API key: `Authorization: Bearer <key>`.
 *
 * @example
 * ```ts
 * const decorator = new ApiKeyRequestDecorator('mmk_…')
 * const fromEnvironment = ApiKeyRequestDecorator.fromEnv()
 * ```
 */
export class ApiKeyRequestDecorator implements RequestDecorator {
  readonly #key: Secret | SecretFile

  /**
   * @param apiKey - Visible ASCII; white space around it is dropped.
   * @param setting - What the key is called in errors.
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when it is empty or has characters that a header cannot carry.
   */
  constructor(apiKey: string | Secret, setting?: string)
  /** @internal */
  constructor(apiKey: string | Secret | SecretFile, setting?: string)
  constructor(apiKey: string | Secret | SecretFile, setting = 'apiKey') {
    if (apiKey instanceof SecretFile) {
      this.#key = apiKey
      return
    }
    const key = normalizeKey(isSecret(apiKey) ? apiKey.reveal() : apiKey)
    const problem = apiKeyProblem(key)
    if (problem !== undefined) throw new CredentialsConfigError('the API key', [`${setting} ${problem}`])
    this.#key = new Secret(key)
  }

  /**
   * Takes the key from a mounted file. The file is read again before every request, so that a rotated key is used with
   * the next one; when it vanishes or becomes unusable the last key stays in use.
   *
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when there is no usable key in the file now.
   */
  static fromFile(path: string, options: ApiKeyFileOptions = {}): ApiKeyRequestDecorator {
    const warn = options.warn ?? tell
    try {
      const file = new SecretFile(path, options.setting ?? 'apiKeyFile', apiKeyProblem, (message) =>
        warn(`micromegas: ${message}`),
      )
      return new ApiKeyRequestDecorator(file)
    } catch (error) {
      if (error instanceof SecretFileError)
        throw new CredentialsConfigError('the API key', [error.message], { cause: error.cause })
      throw error
    }
  }

  /**
   * Takes the key from `MICROMEGAS_INGESTION_API_KEY`, or from the file that `MICROMEGAS_INGESTION_API_KEY_FILE` names.
   *
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when none or both are set, or the key cannot be used; the
   * message names the variable and never holds the value.
   */
  static fromEnv(env: Env = process.env): ApiKeyRequestDecorator {
    const key = env[API_KEY_VARIABLE]
    const path = env[API_KEY_FILE_VARIABLE]?.trim()
    if (path && key?.trim()) {
      throw new CredentialsConfigError('the API key', [
        `set ${API_KEY_VARIABLE} or ${API_KEY_FILE_VARIABLE}, not both`,
      ])
    }
    if (path) return ApiKeyRequestDecorator.fromFile(path, { setting: API_KEY_FILE_VARIABLE })
    if (key !== undefined) return new ApiKeyRequestDecorator(key, API_KEY_VARIABLE)
    throw new CredentialsConfigError('the API key', [
      `${API_KEY_VARIABLE} is not set, and ${API_KEY_FILE_VARIABLE} names no file`,
    ])
  }

  /** Sets the header; waits only for a key that is in a file, and fails only when the signal ends that wait. */
  decorate(request: DecoratedRequest, signal: AbortSignal): void | Promise<void> {
    if (this.#key instanceof Secret) return authorize(request, this.#key)
    return waitFor(this.#key.read(), signal).then((key) => authorize(request, key))
  }

  /** Reads the file, where there is one, so that the next request carries what is in it now. */
  async onRejected(): Promise<void> {
    if (this.#key instanceof SecretFile) await this.#key.read()
  }
}

function authorize(request: DecoratedRequest, key: Secret): void {
  request.headers.set('authorization', `Bearer ${key.reveal().trim()}`)
}
