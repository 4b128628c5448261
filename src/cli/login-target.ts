import type { AuthProvider } from '../auth/auth-provider.ts'
import { hasClientProof } from '../auth/login/environment-login.ts'
import { type LoginOptions, loginOptionsFromEnv } from '../auth/login/login-options.ts'
import { OidcAuthProvider } from '../auth/login/oidc-auth-provider.ts'
import { OidcClientCredentialsProvider } from '../auth/login/oidc-client-credentials-provider.ts'
import { readLogin, tokenFilePath } from '../auth/login/tokens/token-file.ts'
import type { Env } from '../config/process-env.ts'
import type { ConnectionFlags } from './connect.ts'
import type { Profile } from './profile.ts'

/** How a login is to be made: from the environment, else from the profile; `undefined` when neither names a client. */
export function loginOf(profile: Profile, flags: ConnectionFlags, env: Env): LoginOptions | undefined {
  const fromEnv = loginOptionsFromEnv(env)
  const tokenFile = tokenFilePath(env, profile.name)
  const openBrowser = flags.browser === false ? false : undefined
  if (fromEnv !== undefined) return { ...fromEnv, tokenFile, openBrowser }
  const { issuer, clientId, audience, scope } = profile
  if (issuer === undefined || clientId === undefined) return undefined
  return { issuer, clientId, audience, scope, tokenFile, openBrowser }
}

/** Who asks by a login, or by client credentials where a secret is set and nobody has logged in. */
export async function authFromLogin(
  profile: Profile,
  flags: ConnectionFlags,
  env: Env,
): Promise<AuthProvider | undefined> {
  const login = loginOf(profile, flags, env)
  if (login === undefined) return undefined
  const interactive = process.stderr.isTTY === true && !env.CI
  if (hasClientProof(env) && !interactive && (await readLogin(login.tokenFile as string)) === undefined) {
    return OidcClientCredentialsProvider.fromEnv(env)
  }
  return OidcAuthProvider.loadOrLogin({ ...login, interactive })
}
