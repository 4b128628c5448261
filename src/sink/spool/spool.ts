import type { StreamInfo } from '../../model/event-sink.ts'
import type { ProcessInfo } from '../../model/process-info.ts'
import { plainTelemetryEncoder, type TelemetryEncoder } from '../../telemetry/encoder.ts'
import { PRIORITIES, Priority } from '../upload/priority.ts'
import type { StoredBlock, UploadItem } from '../upload/upload-item.ts'
import type { SpoolDirectory } from './spool-directory.ts'
import {
  decodeSpoolFile,
  encodeSpoolFile,
  parseSpoolFileName,
  type SpoolName,
  type SpoolRecord,
  spoolFileName,
} from './spool-file.ts'
import { LOCK_STALE_MS } from './spool-lock.ts'

export interface SpoolOptions {
  readonly directory: SpoolDirectory
  /** Bytes of files, at most. */
  readonly maxBytes: number
  /** Encodes an item's body; shared with the uploads, so that each is encoded once. */
  readonly encode: (item: UploadItem) => Promise<Uint8Array>
  /** A stored item has to make room for a more important or a newer one. */
  readonly onEvicted: (item: UploadItem) => void
  /** A stored item was written: its memory is free. */
  readonly onStored: (item: UploadItem, stored: StoredBlock) => void
  /** Blocks of a process that is gone were found. */
  readonly onAdopted: (blocks: readonly StoredBlock[]) => void
  /** A block is about to be uploaded: its server may not know the process and the stream. */
  readonly onRead: (record: SpoolRecord) => void
  /** Something to tell the operator. */
  readonly say: (key: string, message: string) => void
}

/** What a spool holds and what became of it. */
export interface SpoolStats {
  /** Blocks on disk now. */
  readonly blocks: number
  /** Bytes of their files. */
  readonly bytes: number
  /** Files set aside since they were torn, corrupt or gone. */
  readonly corruptFiles: number
  /** Writes that failed; their blocks stayed in memory. */
  readonly failedWrites: number
}

/**
 * While the service works, a block is delivered long before this: disks see only what is left over. A process that is
 * killed loses no sealed block older than this.
 */
const MAX_AGE_IN_MEMORY_MS = 500
/** After a failed write the disk is left alone for this long. */
const DISK_PAUSE_MS = 10_000
const MAX_DESCRIPTIONS = 1_000

interface SpoolFile {
  readonly name: string
  readonly bytes: Buffer
  readonly stored: (size: number) => StoredBlock
}

/** Thrown when a file of the spool cannot be read. */
export class SpoolReadError extends Error {
  override readonly name: string = 'SpoolReadError'
}

/**
 * Keeps undelivered blocks on disk: in an outage as soon as they come, otherwise those that have waited for half a second.
 * A block that is stored gives up its memory and keeps its place in the queue; its file goes when it is delivered.
 *
 * Up to a limit of bytes; beyond it the oldest of the least important go, traces first. What a process leaves is taken over
 * by the next one on the same directory.
 */
export class Spool {
  readonly #options: SpoolOptions
  /** Not on disk, oldest first, with the time they came. */
  readonly #unstored: Map<UploadItem, number> = new Map()
  /** On disk, by priority, oldest first. */
  readonly #stored: readonly Map<UploadItem, { readonly name: string; readonly size: number }>[] =
    PRIORITIES.map(() => new Map())
  readonly #descriptions: Map<string, Uint8Array> = new Map()
  readonly #describer: TelemetryEncoder = plainTelemetryEncoder()
  #bytes = 0
  #corruptFiles = 0
  #failedWrites = 0
  #failing = false
  #running = false
  #closed = false
  #timer: NodeJS.Timeout | undefined
  #scanning: NodeJS.Timeout | undefined
  #pausedUntilMs = 0

  constructor(options: SpoolOptions) {
    this.#options = options
  }

  get stats(): SpoolStats {
    return {
      blocks: this.#stored.reduce((sum, stored) => sum + stored.size, 0),
      bytes: this.#bytes,
      corruptFiles: this.#corruptFiles,
      failedWrites: this.#failedWrites,
    }
  }

  /** Takes over what dead processes left, now and from time to time. */
  start(): void {
    if (this.#closed) return
    void this.#adopt()
    this.#scanning = setInterval(() => void this.#adopt(), LOCK_STALE_MS).unref()
    this.#wake()
  }

  /** A block was queued. */
  track(item: UploadItem): void {
    this.#unstored.set(item, performance.now())
    this.#wake()
  }

  /** Whether the last attempt failed: nothing waits in memory then. */
  setFailing(failing: boolean): void {
    this.#failing = failing
    if (failing) this.#wake()
  }

  /** An item was settled; its file goes unless it is left for a later process. */
  settled(item: UploadItem, keep: boolean): void {
    this.#unstored.delete(item)
    const stored = this.#stored[item.priority]
    const file = stored?.get(item)
    if (stored === undefined || file === undefined) return
    stored.delete(item)
    this.#bytes -= file.size
    if (!keep) this.#options.directory.remove(file.name)
  }

  /** Stores an item that is still in memory, for the end of a process; returns whether it is on disk. */
  storeSync(item: UploadItem, body: Uint8Array): boolean {
    if (this.#isStored(item)) return true
    const file = this.#file(item, body)
    if (file === undefined || !this.#makeRoom(item.priority, file.bytes.byteLength)) return false
    try {
      this.#options.directory.writeSync(file.name, file.bytes)
    } catch (error) {
      this.#writeFailed(error)
      return false
    }
    this.#add(item, file)
    return true
  }

  /** Stops; files that are left are for the next process. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    clearInterval(this.#scanning)
    this.#unstored.clear()
    this.#options.directory.close()
  }

  #wake(): void {
    if (this.#running || this.#closed || this.#unstored.size === 0) return
    const [oldest] = this.#unstored.values()
    const dueMs = Math.max(this.#failing ? 0 : (oldest ?? 0) + MAX_AGE_IN_MEMORY_MS, this.#pausedUntilMs)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#run(), Math.max(0, dueMs - performance.now())).unref()
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    for (const [item, sinceMs] of this.#unstored) {
      const nowMs = performance.now()
      if (this.#closed || nowMs < this.#pausedUntilMs) break
      if (!this.#failing && nowMs < sinceMs + MAX_AGE_IN_MEMORY_MS) break
      await this.#store(item)
    }
    this.#running = false
    this.#wake()
  }

  async #store(item: UploadItem): Promise<void> {
    const { directory, encode } = this.#options
    let body: Uint8Array
    try {
      body = await encode(item)
    } catch {
      this.#unstored.delete(item) // its upload finds out, and counts it
      return
    }
    if (item.settled) return
    const file = this.#file(item, body)
    if (file === undefined || !this.#makeRoom(item.priority, file.bytes.byteLength)) {
      this.#unstored.delete(item) // stays in memory, within its budget
      return
    }
    try {
      await directory.write(file.name, file.bytes)
    } catch (error) {
      this.#writeFailed(error)
      return
    }
    if (item.settled || this.#closed) directory.remove(file.name)
    else this.#add(item, file)
  }

  /** Undefined for what is no block, or is none any more. */
  #file(item: UploadItem, block: Uint8Array): SpoolFile | undefined {
    const { origin, kind, events, id } = item
    if (origin === undefined || kind === 'metadata') return undefined
    const { process, stream } = origin
    const name = spoolFileName({ kind, events, blockId: id })
    return {
      stored: (size) => this.#reference(name, { kind, events, blockId: id }, size),
      name,
      bytes: encodeSpoolFile({
        processId: process.processId,
        streamId: stream.streamId,
        process: this.#describe(process.processId, process),
        stream: this.#describe(stream.streamId, stream),
        block,
      }),
    }
  }

  #describe(id: string, what: ProcessInfo | StreamInfo): Uint8Array {
    const known = this.#descriptions.get(id)
    if (known !== undefined) return known
    if (this.#descriptions.size >= MAX_DESCRIPTIONS) this.#descriptions.clear()
    const body = 'streamId' in what ? this.#describer.encodeStream(what) : this.#describer.encodeProcess(what)
    this.#descriptions.set(id, body)
    return body
  }

  /** Lets go of the oldest of the least important, none of which is more important than the newcomer. */
  #makeRoom(priority: Priority, size: number): boolean {
    const { maxBytes, onEvicted } = this.#options
    if (size > maxBytes) return false
    for (const victims of PRIORITIES.filter((other) => other >= priority).reverse()) {
      for (const item of this.#stored[victims]?.keys() ?? []) {
        if (this.#bytes + size <= maxBytes) return true
        onEvicted(item)
      }
    }
    return this.#bytes + size <= maxBytes
  }

  #add(item: UploadItem, { name, bytes, stored }: SpoolFile): void {
    const size = bytes.byteLength
    this.#unstored.delete(item)
    this.#stored[item.priority]?.set(item, { name, size })
    this.#bytes += size
    this.#options.onStored(item, stored(size))
  }

  #isStored(item: UploadItem): boolean {
    return this.#stored[item.priority]?.has(item) === true
  }

  #writeFailed(error: unknown): void {
    this.#failedWrites++
    this.#pausedUntilMs = performance.now() + DISK_PAUSE_MS
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    this.#options.say('spool', `cannot write to the spool directory: ${code}; blocks stay in memory`)
  }

  async #adopt(): Promise<void> {
    const { directory, onAdopted, say } = this.#options
    try {
      const blocks: StoredBlock[] = []
      for (const { name, size } of await directory.adopt()) {
        const parsed = parseSpoolFileName(name)
        if (parsed === undefined) this.#setAside(name)
        else blocks.push(this.#reference(name, parsed, size))
      }
      if (!this.#closed && blocks.length > 0) onAdopted(blocks)
    } catch (error) {
      say(
        'adopt',
        `cannot take over spooled blocks: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      )
    }
  }

  /** Makes an adopted block one of ours. */
  adopted(item: UploadItem, { name, size }: StoredBlock): void {
    this.#stored[item.priority]?.set(item, { name, size })
    this.#bytes += size
    this.#makeRoom(Priority.Logs, 0)
  }

  #reference(name: string, { kind, events, blockId }: SpoolName, size: number): StoredBlock {
    return { name, kind, events, id: blockId, size, read: () => this.#read(name) }
  }

  async #read(name: string): Promise<Uint8Array> {
    try {
      const record = decodeSpoolFile(await this.#options.directory.read(name))
      this.#options.onRead(record)
      return record.block
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      // Anything else, such as too many open files, may pass.
      if (code !== 'ERR_TELEMETRY_FORMAT' && code !== 'ENOENT') throw cause
      this.#setAside(name)
      const state = code === 'ENOENT' ? 'it is gone' : (cause as Error).message
      throw new SpoolReadError(`Cannot use the spooled block ${name}: ${state}`, { cause })
    }
  }

  #setAside(name: string): void {
    this.#corruptFiles++
    this.#options.directory.setAside(name)
  }
}
