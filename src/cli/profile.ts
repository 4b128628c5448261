import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../config/process-env.ts'
import type { ConfigFile, ConfigProfile } from './config-file.ts'
import { UsageError } from './usage-error.ts'

/** Where a profile asks, and who logs in there. */
export interface Profile {
  readonly name: string | undefined
  readonly uri: string | undefined
  readonly clientId: string | undefined
  readonly issuer: string | undefined
  readonly audience: string | undefined
  readonly scope: string | undefined
}

const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/

/** Where the profiles are: `~/.micromegas/config.json`. */
export function configPath(): string {
  return join(homedir(), '.micromegas', 'config.json')
}

/**
 * The profile to use: `--profile`, else `MICROMEGAS_PROFILE`, else the file's `default_profile`, else the file's own
 * members. Without a file there is an empty one.
 *
 * @throws {@link UsageError} for a name that is wrong or unknown, and a file that cannot be used.
 */
export async function readProfile(
  flag: string | undefined,
  env: Env,
  path: string = configPath(),
): Promise<Profile> {
  const asked = flag ?? (env.MICROMEGAS_PROFILE?.trim() || undefined)
  if (asked !== undefined && !NAME.test(asked)) {
    throw new UsageError(
      `Cannot use the profile ${JSON.stringify(asked)}: a name has letters, digits, dots, - and _`,
    )
  }
  const config = await readConfig(path)
  if (config === undefined) {
    if (asked === undefined) return profileOf(undefined, {})
    throw new UsageError(`Cannot use the profile ${asked}: there is no file ${path}`)
  }
  const name = asked ?? config.default_profile
  if (name === undefined) return profileOf(undefined, config)
  const found = Object.hasOwn(config.profiles ?? {}, name) ? config.profiles?.[name] : undefined
  if (found === undefined) {
    const known = Object.keys(config.profiles ?? {}).join(', ') || 'none'
    throw new UsageError(`Cannot use the profile ${name}: ${path} has ${known}`)
  }
  return profileOf(name, found)
}

function profileOf(name: string | undefined, value: ConfigProfile): Profile {
  const [issuer] = value.issuers ?? []
  return {
    name,
    uri: value.uri,
    clientId: value.client_id,
    issuer: issuer?.issuer,
    audience: issuer?.audience,
    scope: value.scope,
  }
}

async function readConfig(path: string): Promise<ConfigFile | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new UsageError(`Cannot read ${path}: ${code ?? String(error)}`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new UsageError(`Cannot read ${path}: it is not JSON`)
  }
  const { parseConfigFile } = await import('./config-file.ts')
  return parseConfigFile(path, value)
}
