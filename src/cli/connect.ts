import { ApiKeyProvider } from '../auth/api-key-provider.ts'
import type { AuthProvider } from '../auth/auth-provider.ts'
import { hasClientProof } from '../auth/login/environment-login.ts'
import { type LoginOptions, loginOptionsFromEnv } from '../auth/login/login-options.ts'
import { OidcAuthProvider } from '../auth/login/oidc-auth-provider.ts'
import { OidcClientCredentialsProvider } from '../auth/login/oidc-client-credentials-provider.ts'
import { readLogin, tokenFilePath } from '../auth/login/token-file.ts'
import { FlightSQLClient } from '../query/flight-sql-client.ts'
import { type Profile, readProfile } from './profile.ts'
import { UsageError } from './usage-error.ts'

/** Options that every command which asks a server has. */
export interface ConnectionFlags {
  readonly uri?: string | undefined
  readonly profile?: string | undefined
  /** `false` with `--no-browser`. */
  readonly browser?: boolean | undefined
}

/** Where a command asks, and as whom. */
export interface Target {
  readonly uri: string | undefined
  readonly profile: Profile
  readonly auth: AuthProvider | undefined
}

/** How a login is to be made: from the environment, else from the profile; `undefined` when neither names a client. */
export function loginOf(
  profile: Profile,
  flags: ConnectionFlags,
  env: NodeJS.ProcessEnv,
): LoginOptions | undefined {
  const fromEnv = loginOptionsFromEnv(env)
  const tokenFile = tokenFilePath(env, profile.name)
  const openBrowser = flags.browser === false ? false : undefined
  if (fromEnv !== undefined) return { ...fromEnv, tokenFile, openBrowser }
  const { issuer, clientId, audience, scope } = profile
  if (issuer === undefined || clientId === undefined) return undefined
  return { issuer, clientId, audience, scope, tokenFile, openBrowser }
}

/**
 * Where to ask and as whom: `--uri`, else `MICROMEGAS_ANALYTICS_URI`, else the profile; an API key, else a login, else
 * client credentials where a secret is set and nobody has logged in.
 */
export async function resolveTarget(
  flags: ConnectionFlags,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Target> {
  const profile = await readProfile(flags.profile, env)
  const uri = flags.uri ?? (env.MICROMEGAS_ANALYTICS_URI?.trim() || undefined) ?? profile.uri
  const key = ApiKeyProvider.fromEnv(env)
  if (key !== undefined) return { uri, profile, auth: key }
  const login = loginOf(profile, flags, env)
  if (login === undefined) return { uri, profile, auth: undefined }
  const interactive = process.stderr.isTTY === true && !env.CI
  if (hasClientProof(env) && !interactive && (await readLogin(login.tokenFile as string)) === undefined) {
    return { uri, profile, auth: OidcClientCredentialsProvider.fromEnv(env) }
  }
  return { uri, profile, auth: await OidcAuthProvider.loadOrLogin({ ...login, interactive }) }
}

/** Runs a command with a client that is closed afterwards. */
export async function withClient<T>(
  flags: ConnectionFlags,
  entrypoint: string,
  run: (client: FlightSQLClient) => Promise<T>,
): Promise<T> {
  const { uri, auth } = await resolveTarget(flags)
  await using client = makeClient(uri, auth, entrypoint)
  return await run(client)
}

function makeClient(
  uri: string | undefined,
  authProvider: AuthProvider | undefined,
  entrypoint: string,
): FlightSQLClient {
  try {
    return new FlightSQLClient(uri, {
      authProvider,
      clientEntrypoint: entrypoint,
      timestamps: 'string',
    })
  } catch (error) {
    if (error instanceof Error && uri !== undefined) throw new UsageError(error.message)
    throw error
  }
}
