/*
 * The spool, in one page. A spool keeps sealed blocks on disk until a server has taken them: over an outage that is longer than
 * memory lasts, and over the end of the process.
 *
 * Who does what. `SpoolKeeper` says when a block is written: half a second after it came, at once while uploads fail, and at the
 * end of the process. `Spool` says what is there, what has to go to make room, and what a file means. `SpoolDirectory` moves
 * files. `spool-file.ts` lays them out. `spool-lock.ts` tells whether the owner of a directory is alive.
 *
 * Layout.
 *   <root>/session-<id>/lock                              owner as JSON; its time is set anew every 10 s
 *   <root>/session-<id>/<ms>-<serial>-<kind>-<events>-<block id>.block
 *   <root>/new-<id>/                                      being made: becomes a session by renaming, with its lock in it
 *   <root>/taking-<id of the taker>-<id>/                 being emptied into the taker's session
 *   <root>/<name>.corrupt                                 set aside for people to look at, twenty at most
 * A file is MMSPOOL1, the ids of process and stream, three lengths, the bodies of the three insert requests, a CRC-32 of it all.
 * Each file can be delivered by itself: whoever finds it needs nothing else.
 *
 * What always holds.
 * - A name without `.tmp` is a whole file: it is written under another name, then renamed.
 * - One process owns a session. Others take it over only when its lock is gone, its owner is dead, or the lock was not refreshed
 *   for 60 s; and by renaming, so that one of them gets it.
 * - A block that is on disk has given its memory up, and keeps its place in the queue. Its file goes when the block is settled,
 *   unless it is left for the next process.
 * - The same block may be sent twice, never wrongly: the server keeps the first of an id.
 * - Over `maxBytes` the oldest of the least important go, each counted as `spool_full`; a newcomer never pushes out what is more
 *   important than itself.
 * - The disk is no condition of uploading: after a failed write it is left alone for 10 s, and blocks stay in memory.
 *
 * After a crash, the next process on the directory finds:
 * - killed before the rename: a `.tmp` file, which is removed; the block is lost, as all that is younger than half a second is.
 * - killed after it, before delivery: a file, which it delivers.
 * - killed after delivery, before the file was removed: a file, which it delivers again, and the server knows.
 * - killed while taking over: a `taking-` directory whose taker is dead, which it takes over in its turn.
 * - killed while making a session: a `new-` directory, which goes after 60 s.
 * - a power failure: files that may be short or hold anything: the checksum tells, and they are set aside. Nothing waits for the
 *   disk, so that the last seconds may be missing.
 * - the root on a disk of another host, or in another container: the owner cannot be looked for, so that 60 s decide.
 */

import type { StreamInfo } from '../../model/event-sink.ts'
import type { ProcessInfo } from '../../model/process-info.ts'
import type { Clock } from '../../model/runtime/clock.ts'
import type { TelemetryEncoder } from '../../telemetry/encoder.ts'
import { PRIORITIES, Priority } from '../upload/priority.ts'
import type { StoredBlock, StoredBodies, UploadItem } from '../upload/upload-item.ts'
import type { SpoolDirectory } from './spool-directory.ts'
import {
  decodeSpoolFile,
  encodeSpoolFile,
  parseSpoolFileName,
  type SpoolName,
  spoolFileName,
} from './spool-file.ts'

export interface SpoolOptions {
  readonly directory: SpoolDirectory
  /** Bytes of files, at most. */
  readonly maxBytes: number
  readonly encoder: TelemetryEncoder
  readonly clock: Clock
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

/** A file that may be written, once what has to make room for it is gone. */
export interface PlannedFile {
  readonly stored: StoredBlock
  readonly bytes: Buffer
  /** Stored items that have to go first: the oldest of the least important. */
  readonly victims: readonly UploadItem[]
}

const MAX_DESCRIPTIONS = 1_000

/** Thrown when a file of the spool cannot be read. */
export class SpoolReadError extends Error {
  override readonly name: string = 'SpoolReadError'
}

/**
 * Blocks on disk, up to a limit of bytes; beyond it the oldest of the least important go, traces first. When they are
 * written is for {@link SpoolKeeper} to say.
 */
export class Spool {
  readonly #options: SpoolOptions
  /** By priority, oldest first. */
  readonly #stored: readonly Map<UploadItem, StoredBlock>[] = PRIORITIES.map(() => new Map())
  readonly #descriptions: Map<string, Uint8Array> = new Map()
  #bytes = 0
  #corruptFiles = 0
  #failedWrites = 0

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

  /**
   * Lays out the file of a block.
   *
   * @param body - Of its insert request.
   * @returns Undefined for what is no block, or is none any more, and where there is no room even without all that may go.
   */
  plan(item: UploadItem, body: Uint8Array): PlannedFile | undefined {
    const { origin, kind, events, id } = item
    if (origin === undefined || kind === 'metadata') return undefined
    const { process, stream } = origin
    const bytes = encodeSpoolFile({
      processId: process.processId,
      streamId: stream.streamId,
      process: this.#describe(process.processId, process),
      stream: this.#describe(stream.streamId, stream),
      block: body,
    })
    const victims = this.#victims(item.priority, bytes.byteLength)
    if (victims === undefined) return undefined
    const what: SpoolName = { kind, events, blockId: id }
    const name = spoolFileName(what, this.#options.clock.wallMs())
    return { stored: this.#reference(name, what, bytes.byteLength), bytes, victims }
  }

  /** Writes a planned file. @throws What the disk says. */
  async write({ stored, bytes }: PlannedFile): Promise<void> {
    try {
      await this.#options.directory.write(stored.name, bytes)
    } catch (error) {
      this.#failedWrites++
      throw error
    }
  }

  /** {@link write} for the end of a process. */
  writeSync({ stored, bytes }: PlannedFile): void {
    try {
      this.#options.directory.writeSync(stored.name, bytes)
    } catch (error) {
      this.#failedWrites++
      throw error
    }
  }

  /** An item's file is there. */
  add(item: UploadItem, stored: StoredBlock): void {
    this.#stored[item.priority]?.set(item, stored)
    this.#bytes += stored.size
  }

  /** Whether an item's file is there. */
  has(item: UploadItem): boolean {
    return this.#stored[item.priority]?.has(item) === true
  }

  /** An item came to its end; its file goes unless it is left for a later process. */
  settled(item: UploadItem, keep: boolean): void {
    const stored = this.#stored[item.priority]
    const file = stored?.get(item)
    if (stored === undefined || file === undefined) return
    stored.delete(item)
    this.#bytes -= file.size
    if (!keep) this.remove(file)
  }

  /** Removes a file, now or in a moment. */
  remove({ name }: StoredBlock): void {
    this.#options.directory.remove(name)
  }

  /**
   * Takes over what dead processes left.
   *
   * @param adopted - Gets the blocks that are ours now, oldest first, also where the rest cannot be taken over.
   * @throws What the disk says.
   */
  async adopt(adopted: (blocks: readonly StoredBlock[]) => void): Promise<void> {
    const blocks: StoredBlock[] = []
    try {
      for await (const { name, size } of this.#options.directory.adopt()) {
        const parsed = parseSpoolFileName(name)
        if (parsed === undefined) this.#setAside(name)
        else blocks.push(this.#reference(name, parsed, size))
      }
    } finally {
      adopted(blocks.sort((a, b) => (a.name < b.name ? -1 : 1)))
    }
  }

  /** What has to go since there is more than there may be, as after taking over another process's files. */
  get excess(): readonly UploadItem[] {
    return this.#victims(Priority.Logs, 0) ?? []
  }

  /** Files that are left are for the next process. */
  close(): void {
    this.#options.directory.close()
  }

  #describe(id: string, what: ProcessInfo | StreamInfo): Uint8Array {
    const known = this.#descriptions.get(id)
    if (known !== undefined) return known
    if (this.#descriptions.size >= MAX_DESCRIPTIONS) this.#descriptions.clear()
    const { encoder } = this.#options
    const body = 'streamId' in what ? encoder.encodeStream(what) : encoder.encodeProcess(what)
    this.#descriptions.set(id, body)
    return body
  }

  /** The oldest of the least important, none of which is more important than the newcomer; undefined if they do not do. */
  #victims(priority: Priority, size: number): readonly UploadItem[] | undefined {
    let excess = this.#bytes + size - this.#options.maxBytes
    const victims: UploadItem[] = []
    for (const other of [...PRIORITIES].reverse()) {
      if (other < priority) break
      for (const [item, stored] of this.#stored[other] ?? []) {
        if (excess <= 0) return victims
        victims.push(item)
        excess -= stored.size
      }
    }
    return excess <= 0 ? victims : undefined
  }

  #reference(name: string, { kind, events, blockId }: SpoolName, size: number): StoredBlock {
    return { name, kind, events, id: blockId, size, read: () => this.#read(name) }
  }

  async #read(name: string): Promise<StoredBodies> {
    try {
      const { processId, streamId, process, stream, block } = decodeSpoolFile(
        await this.#options.directory.read(name),
      )
      const descriptions = [
        { insert: 'process', id: processId, body: process },
        { insert: 'stream', id: streamId, body: stream },
      ] as const
      return { block, descriptions }
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
