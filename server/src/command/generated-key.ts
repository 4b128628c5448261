import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TelemetryError } from 'micromegas/wire'
import type { ApiKey } from '../auth/api-keys.ts'
import { GENERATED_KEY_FILE, makeDataDir } from '../store/data-dir.ts'

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
    await makeDataDir(dataDir)
    const kept = await readKept(path)
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

async function readKept(path: string): Promise<string | undefined> {
  // Opening a FIFO would wait for somebody to write into it.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    },
  )
  if (file === undefined) return undefined
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path} is no file`)
    return await file.readFile('utf8')
  } finally {
    await file.close()
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
