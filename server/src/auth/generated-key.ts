import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TelemetryError } from 'micromegas/wire'
import type { ApiKey } from './api-keys.ts'

/** Name of the key's file in the data directory. */
export const GENERATED_KEY_FILE = 'generated-api-key'

/**
 * The API key that `--generate-key` makes: once for a data directory, so that services keep working when the server
 * starts again. It looks like the keys that the reference mints.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when it can be neither read nor written, or when its file holds
 * something else: a new key would lock out the services that have the old one.
 */
export async function generatedKey(dataDir: string): Promise<ApiKey> {
  const path = join(dataDir, GENERATED_KEY_FILE)
  try {
    await mkdir(dataDir, { recursive: true })
    const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (kept !== undefined) return { name: 'generated', key: keptKey(kept, path) }
    const key = `mmk_${randomBytes(32).toString('base64url')}`
    await writeFile(path, `${key}\n`, { mode: 0o600, flag: 'wx' })
    return { name: 'generated', key }
  } catch (cause) {
    if (cause instanceof TelemetryError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot keep a generated API key: ${reason}`, { cause })
  }
}

function keptKey(text: string, path: string): string {
  const key = text.trim()
  if (/^mmk_[\w-]{20,}$/.test(key)) return key
  const state = key === '' ? 'is empty' : 'holds something else'
  throw new TelemetryError(
    'ERR_TELEMETRY_CONFIG',
    `Cannot use the generated API key: ${path} ${state}; put the key back, or delete the file to get a new key`,
  )
}
