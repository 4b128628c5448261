import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Env } from '../../../config/process-env.ts'
import { TelemetryError } from '../../../model/errors.ts'
import { trimSlash } from '../issuers.ts'
import { isFresh, readIdToken } from './id-token.ts'

/** Tokens as an identity provider issued them, under the names of its answer (RFC 6749 section 5.1). */
export interface StoredToken {
  readonly access_token?: string | undefined
  readonly id_token?: string | undefined
  readonly refresh_token?: string | undefined
  readonly token_type?: string | undefined
  readonly expires_in?: number | undefined
  readonly scope?: string | undefined
  /** Seconds since the Unix epoch. */
  readonly expires_at?: number | undefined
}

/** A login as it is kept on disk. The Python client reads and writes the same; it passes over `scope` and `expires_at`. */
export interface StoredLogin {
  readonly issuer: string
  readonly client_id: string
  readonly token: StoredToken
  readonly audience?: string | undefined
  readonly scope?: string | undefined
}

/** Largest file that is read: tokens are a few KiB. */
const MAX_FILE_BYTES = 1024 * 1024
const DIRECTORY_MODE = 0o700
const FILE_MODE = 0o600

/**
 * Where tokens are kept: `MICROMEGAS_TOKEN_FILE`, else `~/.micromegas/tokens.json`, or `tokens-<profile>.json` for a
 * profile.
 */
export function tokenFilePath(env: Env, profile?: string | undefined): string {
  const file = env.MICROMEGAS_TOKEN_FILE?.trim()
  if (file) return resolve(file.replace(/^~(?=$|[\\/])/, homedir()))
  return join(homedir(), '.micromegas', profile === undefined ? 'tokens.json' : `tokens-${profile}.json`)
}

/** The login in a file; `undefined` when there is no file. */
export async function readLogin(path: string): Promise<StoredLogin | undefined> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > MAX_FILE_BYTES) throw unreadable(path, `it has ${size} bytes`)
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (error instanceof TelemetryError) throw error
    throw unreadable(path, (error as NodeJS.ErrnoException).code ?? String(error), error)
  }
  const value = parse(text)
  if (value === undefined) throw unreadable(path, 'it is not a token file; delete it and log in again')
  return value
}

/**
 * Writes a login so that a reader sees the old or the new one whole, and nobody but this user sees either: the directory
 * gets the mode 0700, the file 0600, whatever the umask.
 */
export async function writeLogin(path: string, login: StoredLogin): Promise<void> {
  const directory = dirname(path)
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const made = await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })
    if (made !== undefined || isOurs(directory)) await chmod(directory, DIRECTORY_MODE)
    const file = await open(temporary, 'wx', FILE_MODE)
    try {
      await file.chmod(FILE_MODE)
      await file.writeFile(`${JSON.stringify(withExpiry(login), undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}) // the error that is thrown says more
    const { code } = error as NodeJS.ErrnoException
    throw new TelemetryError(
      'ERR_TELEMETRY_CONFIG',
      `Cannot write the token file ${path}: ${code ?? String(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** Whether two logins are for the same client of the same provider. A slash at the end of an issuer makes no difference. */
export function isSameClient(
  login: Pick<StoredLogin, 'issuer' | 'client_id'>,
  issuer: string,
  clientId: string,
): boolean {
  return trimSlash(login.issuer) === trimSlash(issuer) && login.client_id === clientId
}

/** Whether the login's ID token can be sent without refreshing it. */
export function hasFreshToken(login: StoredLogin, nowMs: number): boolean {
  const claims = login.token.id_token === undefined ? undefined : readIdToken(login.token.id_token)
  return claims !== undefined && isFresh(claims, nowMs)
}

/** The directory that this product keeps to itself; any other may be shared with files of the user's. */
function isOurs(directory: string): boolean {
  return directory === join(homedir(), '.micromegas')
}

/** With the expiry at the top as well, where the platform's guide looks for it. */
function withExpiry(login: StoredLogin): StoredLogin & { readonly expires_at: number | undefined } {
  const claims = login.token.id_token === undefined ? undefined : readIdToken(login.token.id_token)
  return { ...login, expires_at: claims?.exp ?? login.token.expires_at }
}

function parse(text: string): StoredLogin | undefined {
  try {
    const value = JSON.parse(text) as Partial<StoredLogin> | null
    const { issuer, client_id: clientId, token, audience, scope } = value ?? {}
    if (typeof issuer !== 'string' || typeof clientId !== 'string') return undefined
    if (typeof token !== 'object' || token === null) return undefined
    return {
      issuer,
      client_id: clientId,
      token,
      audience: typeof audience === 'string' ? audience : undefined,
      scope: typeof scope === 'string' ? scope : undefined,
    }
  } catch {
    return undefined // torn, or something else's
  }
}

function unreadable(path: string, state: string, cause?: unknown): TelemetryError {
  return new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot read the token file ${path}: ${state}`, { cause })
}
