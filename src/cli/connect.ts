import { ApiKeyProvider } from '../auth/api-key-provider.ts'
import type { AuthProvider } from '../auth/auth-provider.ts'
import type { Env } from '../config/process-env.ts'
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

/**
 * Where to ask and as whom: `--uri`, else `MICROMEGAS_ANALYTICS_URI`, else the profile; an API key, else a login, else
 * client credentials where a secret is set and nobody has logged in.
 */
export async function resolveTarget(flags: ConnectionFlags, env: Env = process.env): Promise<Target> {
  const profile = await readProfile(flags.profile, env)
  const uri = flags.uri ?? (env.MICROMEGAS_ANALYTICS_URI?.trim() || undefined) ?? profile.uri
  const key = ApiKeyProvider.fromEnv(env)
  if (key !== undefined) return { uri, profile, auth: key }
  const namesClient = profile.clientId !== undefined || env.MICROMEGAS_OIDC_CLIENT_ID !== undefined
  if (!namesClient) return { uri, profile, auth: undefined }
  const { authFromLogin } = await import('./login-target.ts') // its libraries take longer to load than a query to run
  return { uri, profile, auth: await authFromLogin(profile, flags, env) }
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
