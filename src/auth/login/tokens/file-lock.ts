import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TelemetryError } from '../../../model/errors.ts'

/** A holder that takes longer has hung or died: what it does under the lock is one request with a limit of 10 s. */
const STALE_MS = 30_000
const POLL_MS = 50

interface Holder {
  readonly host: string
  readonly pid: number
  /** Milliseconds since the Unix epoch. */
  readonly since: number
  readonly nonce: string
}

/**
 * Runs a function while no other process runs one under the same lock file. The lock of a process that is gone, or that
 * has held it for 30 s, is broken.
 *
 * @param signal - Ends the waiting.
 */
export async function withFileLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  fn: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const mine = JSON.stringify({
    host: hostname(),
    pid: process.pid,
    since: Date.now(),
    nonce: randomBytes(8).toString('hex'),
  } satisfies Holder)
  while (!(await take(path, mine))) {
    const text = await readLock(path)
    if (text !== undefined && (await isStale(path, text))) await breakLock(path, text)
    else await sleep(POLL_MS + Math.random() * POLL_MS, undefined, { signal })
  }
  try {
    return await fn()
  } finally {
    // Another process may have broken a lock that was held too long, and hold its own now.
    if ((await readLock(path)) === mine) await rm(path, { force: true })
  }
}

async function take(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(text)
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Windows answers EPERM while a file of that name is being deleted.
    if (code === 'EEXIST' || (code === 'EPERM' && process.platform === 'win32')) return false
    throw new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot lock ${path}: ${code ?? String(error)}`, {
      cause: error,
    })
  }
}

async function readLock(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined // released meanwhile
  }
}

async function isStale(path: string, text: string): Promise<boolean> {
  const holder = parse(text)
  if (holder === undefined) return (await ageOf(path)) > STALE_MS // being written, or its writer was killed
  const age = Date.now() - holder.since
  if (age > STALE_MS || age < -STALE_MS) return true
  if (holder.host !== hostname()) return false
  try {
    process.kill(holder.pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

async function ageOf(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs
  } catch {
    return 0 // released meanwhile
  }
}

/** Moves the stale lock away; if another process was quicker and what was moved is its new lock, puts that back. */
async function breakLock(path: string, stale: string): Promise<void> {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await rename(path, aside)
    if ((await readLock(aside)) !== stale) await link(aside, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'EEXIST' && code !== 'EPERM') throw error
  } finally {
    await rm(aside, { force: true })
  }
}

function parse(text: string): Holder | undefined {
  try {
    const { host, pid, since, nonce } = JSON.parse(text) as Partial<Holder>
    if (typeof host !== 'string' || typeof nonce !== 'string') return undefined
    if (!Number.isSafeInteger(pid) || typeof since !== 'number') return undefined
    return { host, pid: Number(pid), since, nonce }
  } catch {
    return undefined
  }
}
