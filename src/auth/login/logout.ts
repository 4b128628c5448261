import { readdir, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { IdentityProviderFetch } from '../oidc/oidc-options.ts'
import { resolveLoginClient } from './login-options.ts'
import { LoginSession } from './login-session.ts'
import { readLogin, tokenFilePath } from './tokens/token-file.ts'

export interface LogoutOptions {
  /** @defaultValue the file of the profile; without one, `MICROMEGAS_TOKEN_FILE` or all token files in `~/.micromegas` */
  readonly tokenFile?: string | undefined
  readonly profile?: string | undefined
  /** Also make the provider forget the refresh token, where it has an endpoint for that. @defaultValue `false` */
  readonly revoke?: boolean | undefined
  /** Carries the requests to the identity provider. @defaultValue Node's own HTTP client, by the proxies of the environment */
  readonly fetch?: IdentityProviderFetch | undefined
}

const REVOKE_TIMEOUT_MS = 10_000

/**
 * Deletes the tokens of a login.
 *
 * @returns The files that were deleted; none if nobody was logged in.
 * @throws when a file cannot be deleted, or a refresh token cannot be revoked; the files are deleted then, too.
 */
export async function logout(options: LogoutOptions = {}): Promise<readonly string[]> {
  const deleted: string[] = []
  const failures: unknown[] = []
  for (const path of await tokenFiles(options)) {
    if (options.revoke === true) await revoke(path, options.fetch).catch((error) => failures.push(error))
    try {
      await rm(path)
      deleted.push(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  if (failures.length > 0) throw failures[0]
  return deleted
}

async function tokenFiles({ tokenFile, profile }: LogoutOptions): Promise<readonly string[]> {
  if (tokenFile !== undefined) return [tokenFile]
  if (profile !== undefined || process.env.MICROMEGAS_TOKEN_FILE?.trim()) {
    return [tokenFilePath(process.env, profile)]
  }
  const directory = join(homedir(), '.micromegas')
  const names = await readdir(directory).catch(() => []) // nobody has logged in
  return names.filter((name) => /^tokens(-[\w.-]+)?\.json$/.test(name)).map((name) => join(directory, name))
}

async function revoke(path: string, fetch: IdentityProviderFetch | undefined): Promise<void> {
  const stored = await readLogin(path)
  if (stored?.token.refresh_token === undefined) return
  const { issuer, client_id: clientId, token } = stored
  const client = resolveLoginClient({ issuer, clientId, tokenFile: path, fetch }, process.env)
  const session = await LoginSession.open(client, AbortSignal.timeout(REVOKE_TIMEOUT_MS))
  await session.revoke(token.refresh_token as string)
}
