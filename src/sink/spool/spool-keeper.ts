import type { Clock, Timer } from '../../model/runtime/clock.ts'
import type { Notices } from '../notices.ts'
import type { Settlement } from '../upload/delivery-ledger.ts'
import type { StoredBlock, UploadItem } from '../upload/upload-item.ts'
import type { PipelineObserver, UploadPipeline } from '../upload/upload-pipeline.ts'
import type { PlannedFile, Spool, SpoolStats } from './spool.ts'
import { LOCK_STALE_MS } from './spool-lock.ts'

/**
 * While the service works, a block is delivered long before this: disks see only what is left over. A process that is
 * killed loses no sealed block older than this.
 */
const MAX_AGE_IN_MEMORY_MS = 500
/** After a failed write the disk is left alone for this long. */
const DISK_PAUSE_MS = 10_000

/**
 * Keeps undelivered blocks on disk: in an outage as soon as they come, otherwise those that have waited for half a second.
 * A block that is stored gives up its memory and keeps its place in the queue; its file goes when it is delivered. What a
 * process leaves is taken over by the next one on the same directory.
 */
export class SpoolKeeper implements PipelineObserver {
  readonly #spool: Spool
  readonly #pipeline: UploadPipeline
  readonly #notices: Notices
  readonly #clock: Clock
  /** Blocks that are not on disk, oldest first, with the time they came. */
  readonly #unstored: Map<UploadItem, number> = new Map()
  #failing = false
  #running = false
  #closed = false
  #timer: Timer | undefined
  #scanning: Timer | undefined
  #pausedUntilMs = 0

  constructor(spool: Spool, pipeline: UploadPipeline, notices: Notices, clock: Clock) {
    this.#spool = spool
    this.#pipeline = pipeline
    this.#notices = notices
    this.#clock = clock
  }

  get stats(): SpoolStats {
    return this.#spool.stats
  }

  /** Takes over what dead processes left, now and from time to time. */
  start(): void {
    void this.#adopt()
    this.#scanning = this.#clock.every(LOCK_STALE_MS, () => void this.#adopt())
  }

  queued(item: UploadItem): void {
    this.#unstored.set(item, this.#clock.now())
    this.#wake()
  }

  settled(item: UploadItem, settlement: Settlement): void {
    this.#unstored.delete(item)
    this.#spool.settled(item, settlement === 'spooled')
  }

  attempted(failing: boolean): void {
    this.#failing = failing
    if (failing) this.#wake() // nothing waits in memory then
  }

  /** Stores a block that is still in memory, for the end of a process; returns whether it is on disk. */
  storeNow(item: UploadItem): boolean {
    if (this.#spool.has(item)) return true
    if (item.kind === 'metadata') return false // every spooled block has its own
    let file: PlannedFile | undefined
    try {
      file = this.#spool.plan(item, this.#pipeline.uploader.encodeNow(item))
    } catch {
      return false // it cannot be encoded
    }
    if (file === undefined) return false
    this.#evict(file.victims)
    try {
      this.#spool.writeSync(file)
    } catch (error) {
      this.#writeFailed(error)
      return false
    }
    this.#add(item, file.stored)
    return true
  }

  /** Stops; files that are left are for the next process. */
  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#scanning?.cancel()
    this.#unstored.clear()
    this.#spool.close()
  }

  #wake(): void {
    if (this.#running || this.#closed || this.#unstored.size === 0) return
    const [oldest] = this.#unstored.values()
    const dueMs = Math.max(this.#failing ? 0 : (oldest ?? 0) + MAX_AGE_IN_MEMORY_MS, this.#pausedUntilMs)
    this.#timer?.cancel()
    this.#timer = this.#clock.after(Math.max(0, dueMs - this.#clock.now()), () => void this.#run())
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    for (const [item, sinceMs] of this.#unstored) {
      const nowMs = this.#clock.now()
      if (this.#closed || nowMs < this.#pausedUntilMs) break
      if (!this.#failing && nowMs < sinceMs + MAX_AGE_IN_MEMORY_MS) break
      await this.#store(item)
    }
    this.#running = false
    this.#wake()
  }

  async #store(item: UploadItem): Promise<void> {
    let file: PlannedFile | undefined
    try {
      const body = await this.#pipeline.uploader.encode(item)
      if (item.settled) return
      file = this.#spool.plan(item, body)
    } catch {
      this.#unstored.delete(item) // its upload finds out, and counts it
      return
    }
    if (file === undefined) {
      this.#unstored.delete(item) // stays in memory, within its budget
      return
    }
    this.#evict(file.victims)
    try {
      await this.#spool.write(file)
    } catch (error) {
      this.#writeFailed(error)
      return
    }
    if (item.settled || this.#closed) this.#spool.remove(file.stored)
    else this.#add(item, file.stored)
  }

  #add(item: UploadItem, stored: StoredBlock): void {
    this.#unstored.delete(item)
    this.#spool.add(item, stored)
    this.#pipeline.store(item, stored)
  }

  #evict(victims: readonly UploadItem[]): void {
    for (const item of victims) {
      this.#notices.say('spool_full', `the spool is full and lets go of its oldest ${item.kind} blocks`)
      this.#pipeline.settle(item, { dropped: 'spool_full' })
    }
  }

  #writeFailed(error: unknown): void {
    this.#pausedUntilMs = this.#clock.now() + DISK_PAUSE_MS
    this.#notices.say('spool', `cannot write to the spool directory: ${codeOf(error)}; blocks stay in memory`)
  }

  async #adopt(): Promise<void> {
    try {
      await this.#spool.adopt((blocks) => this.#adopted(blocks))
    } catch (error) {
      this.#notices.say('adopt', `cannot take over spooled blocks: ${codeOf(error)}`)
    }
  }

  #adopted(blocks: readonly StoredBlock[]): void {
    if (this.#closed) return // they are on disk, for the next process
    for (const stored of blocks) this.#spool.add(this.#pipeline.adopt(stored), stored)
    this.#evict(this.#spool.excess)
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
