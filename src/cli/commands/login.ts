import { ApiKeyProvider } from '../../auth/api-key-provider.ts'
import { LoginRequiredError } from '../../auth/login/login-error.ts'
import { logout as clearTokens } from '../../auth/login/logout.ts'
import { OidcAuthProvider } from '../../auth/login/oidc-auth-provider.ts'
import { readIdToken } from '../../auth/login/tokens/id-token.ts'
import { readLogin, tokenFilePath } from '../../auth/login/tokens/token-file.ts'
import type { ConnectionFlags } from '../connect.ts'
import { loginOf } from '../login-target.ts'
import { DataOutput } from '../output/terminal.ts'
import { configPath, readProfile } from '../profile.ts'
import { UsageError } from '../usage-error.ts'

export interface LoginFlags extends ConnectionFlags {
  readonly device?: boolean | undefined
}

/** Logs a person in, whether or not they are already. */
export async function login(flags: LoginFlags): Promise<void> {
  const profile = await readProfile(flags.profile, process.env)
  const options = loginOf(profile, flags, process.env)
  if (options === undefined) {
    throw new UsageError(
      `There is nobody to log in at: set MICROMEGAS_OIDC_ISSUER and MICROMEGAS_OIDC_CLIENT_ID, or write issuers and client_id into ${configPath()}`,
    )
  }
  const { openBrowser: _, ...device } = options
  const auth = flags.device
    ? await OidcAuthProvider.loginWithDeviceCode(device)
    : await OidcAuthProvider.login(options)
  const { email, name, sub } = auth.user
  process.stderr.write(`Logged in as ${email ?? name ?? sub}. The tokens are in ${auth.tokenFile}\n`)
}

export interface LogoutFlags {
  readonly profile?: string | undefined
  readonly revoke?: boolean | undefined
}

/** Deletes tokens: those of a profile, or all. */
export async function logout(flags: LogoutFlags): Promise<void> {
  const { name } =
    flags.profile === undefined ? { name: undefined } : await readProfile(flags.profile, process.env)
  const files = await clearTokens({ profile: name, revoke: flags.revoke })
  const output = new DataOutput()
  if (files.length === 0) await output.write('No saved tokens found\n')
  for (const file of files) await output.write(`Tokens cleared from ${file}\n`)
}

/** Says who a query is asked as. */
export async function whoami(flags: ConnectionFlags): Promise<void> {
  const output = new DataOutput()
  if (ApiKeyProvider.fromEnv(process.env) !== undefined) {
    await output.write('an API key\n')
    return
  }
  const profile = await readProfile(flags.profile, process.env)
  const file = tokenFilePath(process.env, profile.name)
  const stored = await readLogin(file)
  const claims = stored?.token.id_token === undefined ? undefined : readIdToken(stored.token.id_token)
  if (stored === undefined || claims === undefined) {
    throw new LoginRequiredError(
      `Nobody is logged in: there is no login in ${file}; run \`micromegas login\``,
    )
  }
  const expires = new Date(claims.exp * 1000).toISOString()
  const renewed = stored.token.refresh_token === undefined ? 'and is not renewed' : 'and is renewed by itself'
  await output.write(
    `${claims.email ?? claims.name ?? claims.sub} at ${stored.issuer}\nThe token expires at ${expires} ${renewed}.\n`,
  )
}
