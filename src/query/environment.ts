import { ApiKeyProvider } from '../auth/api-key-provider.ts'
import { oidcProviderFromEnv } from '../auth/login/environment-login.ts'
import { parseFlag } from '../config/flag.ts'
import type { Env } from '../config/process-env.ts'
import { TelemetryError } from '../model/errors.ts'
import type { FlightSQLClientOptions } from './client-options.ts'

/**
 * What the environment says, with options in front of it. Blank variables count as unset.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when a variable cannot be used. It names the variable and never
 * holds a secret.
 */
export function clientOptionsFromEnv(
  env: Env,
  options: FlightSQLClientOptions,
): FlightSQLClientOptions & { readonly uri: string | undefined } {
  const given = options.authProvider !== undefined || options.apiKey !== undefined
  const authProvider = given
    ? options.authProvider
    : (ApiKeyProvider.fromEnv(env) ?? oidcProviderFromEnv(env))
  const requireTls = options.requireTls ?? flag(env, 'MICROMEGAS_REQUIRE_TLS')
  return { ...options, authProvider, requireTls, uri: env.MICROMEGAS_ANALYTICS_URI?.trim() || undefined }
}

function flag(env: Env, name: string): boolean | undefined {
  const value = env[name]?.trim()
  if (!value) return undefined
  const parsed = parseFlag(value)
  if (parsed !== undefined) return parsed
  throw new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot use ${name}: expected true or false`)
}
