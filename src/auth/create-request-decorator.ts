import type { Env } from '../config/process-env.ts'
import {
  API_KEY_FILE_VARIABLE,
  API_KEY_VARIABLE,
  ApiKeyRequestDecorator,
} from './api-key-request-decorator.ts'
import { CredentialsConfigError, optionNames, type SettingNames } from './config-error.ts'
import {
  OidcClientCredentialsDecorator,
  type OidcRuntimeOptions,
} from './oidc/oidc-client-credentials-decorator.ts'
import { oidcOptionsFromEnv, oidcVariableNames } from './oidc/oidc-env.ts'
import type { OidcClientCredentialsOptions } from './oidc/oidc-options.ts'
import type { RequestDecorator } from './request-decorator.ts'
import { Secret } from './secret.ts'

/** The credentials that a process was given, of which {@link createRequestDecorator} takes the first kind. */
export interface AuthConfig {
  readonly apiKey?: string | Secret | undefined
  /** File with the API key; not together with {@link apiKey}. */
  readonly apiKeyFile?: string | undefined
  readonly oidc?: OidcClientCredentialsOptions | undefined
  /** What the settings are called in errors. @defaultValue their own names */
  readonly names?: SettingNames | undefined
}

/** What the environment says about credentials. */
export interface AuthEnv {
  readonly config: AuthConfig
  /** Everything that is wrong with it, each naming its variable and never quoting a value. */
  readonly problems: readonly string[]
}

const API_KEY_VARIABLES: Readonly<Record<string, string>> = {
  apiKey: API_KEY_VARIABLE,
  apiKeyFile: API_KEY_FILE_VARIABLE,
}

const variableNames: SettingNames = (key) => API_KEY_VARIABLES[key] ?? oidcVariableNames(key)

/**
 * Makes the decorator of the first kind of credentials there is: an API key, then OIDC client credentials, then none.
 *
 * @returns `undefined` when no credentials are configured.
 * @throws {@link CredentialsConfigError} when those it took cannot be used.
 */
export function createRequestDecorator(
  config: AuthConfig,
  runtime: OidcRuntimeOptions = {},
): RequestDecorator | undefined {
  const names = config.names ?? optionNames
  const { apiKey, apiKeyFile, oidc } = config
  if (apiKey !== undefined && apiKeyFile !== undefined) {
    throw new CredentialsConfigError('the API key', [
      `set ${names('apiKey')} or ${names('apiKeyFile')}, not both`,
    ])
  }
  if (apiKey !== undefined) return new ApiKeyRequestDecorator(apiKey, names('apiKey'))
  if (apiKeyFile !== undefined) {
    return ApiKeyRequestDecorator.fromFile(apiKeyFile, { setting: names('apiKeyFile'), warn: runtime.warn })
  }
  return oidc && new OidcClientCredentialsDecorator({ ...runtime, ...oidc }, names)
}

/**
 * Reads the variables of both kinds of credentials and tries out each: values and files, but no request is made. OIDC
 * variables are looked at even where an API key comes first, so that what is wrong with them shows before the key is
 * taken away.
 *
 * A key that is set but blank is a problem, since going on without credentials is not what was meant; with OIDC
 * configured it counts as unset.
 */
export function readAuthEnv(env: Env): AuthEnv {
  const oidc = oidcOptionsFromEnv(env)
  const key = env[API_KEY_VARIABLE]
  const apiKeyFile = env[API_KEY_FILE_VARIABLE]?.trim() || undefined
  const blankMeansUnset = oidc !== undefined || apiKeyFile !== undefined
  const apiKey = key === undefined || (key.trim() === '' && blankMeansUnset) ? undefined : new Secret(key)

  const problems: string[] = []
  const attempts: AuthConfig[] = [{ apiKey, apiKeyFile }, { oidc }]
  for (const attempt of attempts) {
    try {
      // Looking at a file twice must not complain twice, hence no console here.
      createRequestDecorator({ ...attempt, names: variableNames }, { warn: () => {} })
    } catch (error) {
      if (!(error instanceof CredentialsConfigError)) throw error
      problems.push(...error.problems)
    }
  }
  return { config: { apiKey, apiKeyFile, oidc, names: variableNames }, problems }
}
