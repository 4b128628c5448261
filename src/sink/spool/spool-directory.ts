import { TelemetryError } from '../../model/errors.ts'
import { builtin } from '../../model/runtime/builtins.ts'
import type { Clock, Timer } from '../../model/runtime/clock.ts'
import { randomUuid } from '../../model/runtime/random-uuid.ts'
import { isOwnerAlive, LOCK_REFRESH_MS, LOCK_STALE_MS, parseOwner, thisOwner } from './spool-lock.ts'

const { join } = builtin('node:path')

const fs = builtin('node:fs')

const LOCK = 'lock'
const SESSION_PREFIX = 'session-'
/** Being made; it has no lock yet. */
const NEW_PREFIX = 'new-'
/** Being taken over by the sink whose id follows. */
const TAKING_PREFIX = 'taking-'
const UUID_CHARS = 36

const MAX_SET_ASIDE = 20

/** A file that was taken over from a process that is gone. */
export interface AdoptedFile {
  readonly name: string
  readonly size: number
}

/**
 * The directory of a spool. Every sink has a directory of its own in it, with a lock, made when the first file is written;
 * the directories of dead processes are taken over whole, by renaming, so that one process gets each. While that goes on,
 * their name says who does it: when he is gone, it is free again at once.
 *
 * Files appear under their name when they are complete. They survive the process, and not necessarily a power failure:
 * nothing waits for the disk.
 */
export class SpoolDirectory {
  readonly #root: string
  readonly #clock: Clock
  #session: string | undefined
  #sessionId = ''
  #refreshing: Timer | undefined
  #setAsides = 0
  #adopting = false
  #closed = false

  /** @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when the directory cannot be made or written to. */
  constructor(root: string, clock: Clock) {
    this.#root = root
    this.#clock = clock
    try {
      fs.mkdirSync(root, { recursive: true })
      fs.accessSync(root, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      throw new TelemetryError(
        'ERR_TELEMETRY_CONFIG',
        `Cannot use the spool directory ${root}: ${code ?? String(cause)}`,
        {
          cause,
        },
      )
    }
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#open(), name)
    try {
      await fs.promises.writeFile(`${path}.tmp`, bytes, { flag: 'wx', mode: 0o600 })
      await fs.promises.rename(`${path}.tmp`, path)
    } catch (error) {
      await fs.promises.unlink(`${path}.tmp`).catch(() => {}) // there may be none
      this.#reopenIfGone(error)
      throw error
    }
  }

  /** {@link write} for the end of a process. */
  writeSync(name: string, bytes: Uint8Array): void {
    const path = join(this.#open(), name)
    try {
      fs.writeFileSync(`${path}.tmp`, bytes, { flag: 'wx', mode: 0o600 })
      fs.renameSync(`${path}.tmp`, path)
    } catch (error) {
      fs.rmSync(`${path}.tmp`, { force: true })
      this.#reopenIfGone(error)
      throw error
    }
  }

  read(name: string): Promise<Buffer> {
    return fs.promises.readFile(join(this.#open(), name))
  }

  /** Removes a file, now or in a moment; one that is gone is none the worse. */
  remove(name: string): void {
    if (this.#session !== undefined) fs.promises.unlink(join(this.#session, name)).catch(() => {})
  }

  /** Puts a file out of the way, for people to look at; beyond a few it is removed. */
  setAside(name: string): void {
    if (this.#session === undefined) return
    if (++this.#setAsides > MAX_SET_ASIDE) {
      this.remove(name)
      return
    }
    fs.promises.rename(join(this.#session, name), join(this.#root, `${name}.corrupt`)).catch(() => {}) // it may be gone
  }

  /**
   * Takes over what dead processes left. Each file is ours from the moment it is given, whatever becomes of the others.
   * Nothing comes while that is under way already.
   */
  async *adopt(): AsyncGenerator<AdoptedFile> {
    if (this.#adopting) return
    this.#adopting = true
    try {
      for (const entry of await fs.promises.readdir(this.#root, { withFileTypes: true })) {
        if (this.#closed) return
        const path = join(this.#root, entry.name)
        if (!entry.isDirectory() || path === this.#session) continue
        if (entry.name.startsWith(NEW_PREFIX)) {
          if (await this.#isStale(path)) await fs.promises.rm(path, { recursive: true, force: true })
        } else if (await this.#isFree(entry.name)) yield* this.#takeOver(path)
      }
    } finally {
      this.#adopting = false
    }
  }

  /** Gives the directory up: whoever comes next may take what is in it. */
  close(): void {
    this.#closed = true
    this.#refreshing?.cancel()
    const session = this.#session
    this.#session = undefined
    if (session === undefined) return
    fs.rmSync(join(session, LOCK), { force: true })
    try {
      fs.rmdirSync(session)
    } catch {
      // Not empty: that is what it is for.
    }
  }

  #open(): string {
    if (this.#session !== undefined) return this.#session
    if (this.#closed) throw new Error('the spool is closed')
    const id = randomUuid()
    const fresh = join(this.#root, NEW_PREFIX + id)
    const session = join(this.#root, SESSION_PREFIX + id)
    fs.mkdirSync(fresh, { recursive: true, mode: 0o700 })
    fs.writeFileSync(join(fresh, LOCK), JSON.stringify(thisOwner(this.#clock)), { mode: 0o600 })
    fs.renameSync(fresh, session) // never seen without its lock
    this.#session = session
    this.#sessionId = id
    this.#refreshing?.cancel()
    this.#refreshing = this.#clock.every(LOCK_REFRESH_MS, () => this.#refresh())
    return session
  }

  #refresh(): void {
    const now = this.#clock.wallMs() / 1000
    if (this.#session !== undefined) fs.utimes(join(this.#session, LOCK), now, now, () => {}) // the next write finds out
  }

  /** Somebody took us for dead, or removed the directory: the next write makes another. */
  #reopenIfGone(error: unknown): void {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#session = undefined
  }

  /**
   * By renaming, so that one process gets it; then file by file into our own directory, for as long as that is ours: what is
   * left then is for the next process.
   */
  async *#takeOver(path: string): AsyncGenerator<AdoptedFile> {
    if (this.#closed) return
    const session = this.#open()
    const taking = join(this.#root, `${TAKING_PREFIX}${this.#sessionId}-${randomUuid()}`)
    try {
      await fs.promises.rename(path, taking)
    } catch {
      return // another process was faster
    }
    for (const name of await fs.promises.readdir(taking)) {
      if (this.#session !== session) return
      const from = join(taking, name)
      if (name === LOCK || name.endsWith('.tmp')) {
        await fs.promises.rm(from, { force: true }) // a temporary file is a write that was cut
        continue
      }
      const { size } = await fs.promises.stat(from)
      await fs.promises.rename(from, join(session, name))
      yield { name, size }
    }
    await fs.promises.rmdir(taking)
  }

  /** Whether a directory is a sink's that is gone, or one whose taking over was cut, by ourselves perhaps. */
  #isFree(name: string): Promise<boolean> {
    if (name.startsWith(SESSION_PREFIX)) return this.#hasNoOwner(join(this.#root, name))
    if (!name.startsWith(TAKING_PREFIX)) return Promise.resolve(false)
    const taker = name.slice(TAKING_PREFIX.length, TAKING_PREFIX.length + UUID_CHARS)
    if (taker === this.#sessionId) return Promise.resolve(true)
    return this.#hasNoOwner(join(this.#root, SESSION_PREFIX + taker))
  }

  /** Whether the owner of a sink's directory is dead, or gave it up and took the lock away. */
  async #hasNoOwner(session: string): Promise<boolean> {
    const lock = join(session, LOCK)
    try {
      const { mtimeMs } = await fs.promises.stat(lock)
      const owner = parseOwner(await fs.promises.readFile(lock, 'utf8'))
      return !isOwnerAlive(owner, this.#clock.wallMs() - mtimeMs, this.#clock)
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT'
    }
  }

  async #isStale(path: string): Promise<boolean> {
    try {
      return this.#clock.wallMs() - (await fs.promises.stat(path)).mtimeMs > LOCK_STALE_MS
    } catch {
      return false // its owner was not dead after all
    }
  }
}
