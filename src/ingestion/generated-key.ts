import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TelemetryError } from '../errors.ts'
import type { ApiKey } from './api-keys.ts'

const FILE_NAME = 'generated-api-key'

/**
 * The API key that `--generate-key` makes: once for a data directory, so that services keep working when the server
 * starts again. It looks like the keys that the reference mints.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when it can be neither read nor written.
 */
export async function generatedKey(dataDir: string): Promise<ApiKey> {
  const path = join(dataDir, FILE_NAME)
  try {
    await mkdir(dataDir, { recursive: true })
    const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
    if (/^mmk_[\w-]{20,}$/.test(kept.trim())) return { name: 'generated', key: kept.trim() }
    const key = `mmk_${randomBytes(32).toString('base64url')}`
    await writeFile(path, `${key}\n`, { mode: 0o600 })
    return { name: 'generated', key }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot keep a generated API key: ${reason}`, { cause })
  }
}
