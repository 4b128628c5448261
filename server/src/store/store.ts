import { setImmediate as nextTurn } from 'node:timers/promises'
import { DataDir, type RecordKind, reasonOf } from './data-dir.ts'
import { DamagedRecord, type RecordFacts, type RecordHeader } from './record-file.ts'
import { type StoredBlock, type StoredProcess, type StoredStream, StoreIndex } from './store-index.ts'

export interface StoreOptions {
  /** Absolute path. */
  readonly dataDir: string
  readonly maxBytes: number
  /** An item is on the disk, and not only with the operating system, before it counts as kept. */
  readonly fsync: boolean
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number
  readonly warn: (message: string) => void
}

/** Index entries of this many items take some 200 MB; a block a second for three days. */
const MAX_BLOCKS = 250_000
const MAX_PROCESSES_AND_STREAMS = 100_000
/** Processes and streams are kept over blocks until they take more than this part of the bytes. */
const METADATA_SHARE = 0.25
/** Starting lets other work run after this many files. */
const FILES_PER_TURN = 200
const READY_TIMEOUT_MS = 2_000
const READY_CACHE_MS = 1_000

/**
 * Keeps processes, streams and blocks in files, and an index of them in memory. The first item of an id stays; the index
 * is rebuilt from the files at start. Beyond the byte budget the oldest blocks go first.
 */
export class Store {
  readonly index: StoreIndex = new StoreIndex()
  readonly #options: StoreOptions
  readonly #dir: DataDir
  /** Inserts under way, by kind and id. */
  readonly #pending = new Map<string, Promise<void>>()
  #evicting: Promise<void> | undefined
  #evictedBlocks = 0
  #readyUntil = 0

  private constructor(options: StoreOptions, dir: DataDir) {
    this.#options = options
    this.#dir = dir
  }

  /**
   * Opens a data directory, making it when it is missing.
   *
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when it cannot be used or another server holds it.
   */
  static async open(options: StoreOptions): Promise<Store> {
    const dir = await DataDir.open(options.dataDir, { durable: options.fsync, warn: options.warn })
    try {
      const store = new Store(options, dir)
      await store.#load()
      await store.#evict()
      return store
    } catch (error) {
      await dir.close()
      throw error
    }
  }

  /** Blocks deleted for want of room since the start. */
  get evictedBlocks(): number {
    return this.#evictedBlocks
  }

  /** Absolute path. */
  get dataDir(): string {
    return this.#options.dataDir
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.index.blockBytes + this.index.metadataBytes
  }

  /** @returns False when the id is there already. */
  insertProcess(processId: string, body: Uint8Array): Promise<boolean> {
    return this.#insert(
      { kind: 'process', id: processId, insert_time_ms: this.#options.wallClock() },
      body,
      this.index.processes,
      (facts, fileBytes) =>
        this.index.addProcess({ processId, insertTimeMs: facts.insert_time_ms, fileBytes }),
    )
  }

  /** @returns False when the id is there already. */
  insertStream(
    stream: Pick<StoredStream, 'streamId' | 'processId' | 'tags'>,
    body: Uint8Array,
  ): Promise<boolean> {
    const { streamId, processId } = stream
    const tags = [...new Set(stream.tags.filter(isKnownTag))]
    return this.#insert(
      {
        kind: 'stream',
        id: streamId,
        insert_time_ms: this.#options.wallClock(),
        process_id: processId,
        tags,
      },
      body,
      this.index.streams,
      (facts, fileBytes) =>
        this.index.addStream({ streamId, processId, tags, insertTimeMs: facts.insert_time_ms, fileBytes }),
    )
  }

  /** @returns False when the id is there already. */
  insertBlock(
    block: Omit<StoredBlock, 'bodyBytes' | 'insertTimeMs' | 'fileBytes'>,
    body: Uint8Array,
  ): Promise<boolean> {
    const { blockId, streamId, processId, beginTicks, endTicks, beginTimeMicros, endTimeMicros } = block
    const { objectOffset, eventCount } = block
    return this.#insert(
      {
        kind: 'block',
        id: blockId,
        insert_time_ms: this.#options.wallClock(),
        process_id: processId,
        stream_id: streamId,
        begin_ticks: beginTicks,
        end_ticks: endTicks,
        begin_time_us: beginTimeMicros,
        end_time_us: endTimeMicros,
        object_offset: objectOffset,
        nb_objects: eventCount,
      },
      body,
      this.index.blocks,
      (facts, fileBytes) =>
        this.index.addBlock({
          blockId,
          streamId,
          processId,
          beginTicks,
          endTicks,
          beginTimeMicros,
          endTimeMicros,
          objectOffset,
          eventCount,
          bodyBytes: body.length,
          insertTimeMs: facts.insert_time_ms,
          fileBytes,
        }),
    )
  }

  /** The request body of an item, exactly as it came; `undefined` when there is none, or no longer. */
  async read(kind: RecordKind, id: string): Promise<Uint8Array | undefined> {
    if (!this.#table(kind).has(id)) return undefined
    try {
      const body = await this.#dir.read(kind, id)
      // Deleted between the look-up and the reading.
      if (body === undefined) this.#forget(kind, id)
      return body
    } catch (error) {
      if (!(error instanceof DamagedRecord)) throw error
      this.#forget(kind, id)
      await this.#setAside(kind, id, error.message)
      return undefined
    }
  }

  /** Deletes a process with its streams and their blocks. @returns The number of blocks deleted. */
  async deleteProcess(processId: string): Promise<number> {
    let blocks = 0
    for (const stream of [...this.index.streamsOf(processId)]) {
      for (const block of [...this.index.blocksOf(stream.streamId)]) {
        this.index.removeBlock(block)
        await this.#dir.remove('block', block.blockId)
        blocks += 1
      }
      this.index.removeStream(stream)
      await this.#dir.remove('stream', stream.streamId)
    }
    const process = this.index.processes.get(processId)
    if (process !== undefined) {
      this.index.removeProcess(process)
      await this.#dir.remove('process', processId)
    }
    return blocks
  }

  /** Whether an item could be written now; a yes holds for a second. */
  async isReady(): Promise<boolean> {
    const now = performance.now()
    if (now < this.#readyUntil) return true
    try {
      await this.#dir.probe(AbortSignal.timeout(READY_TIMEOUT_MS))
      this.#readyUntil = now + READY_CACHE_MS
      return true
    } catch (error) {
      this.#options.warn(`cannot write to ${this.#options.dataDir}: ${reasonOf(error)}`)
      return false
    }
  }

  /** Waits for what is being written and lets go of the directory. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#pending.values(), this.#evicting])
    await this.#dir.close()
  }

  async #insert<T extends RecordFacts>(
    facts: T,
    body: Uint8Array,
    table: ReadonlyMap<string, unknown>,
    add: (facts: T, fileBytes: number) => void,
  ): Promise<boolean> {
    const key = `${facts.kind}:${facts.id}`
    for (;;) {
      if (table.has(facts.id)) return false
      const other = this.#pending.get(key)
      if (other === undefined) break
      // When the other insert fails, this one takes its place.
      await other.catch(() => undefined)
    }
    const write = async (): Promise<void> => {
      add(facts, await this.#dir.write(facts, body))
    }
    const pending = write().finally(() => this.#pending.delete(key))
    this.#pending.set(key, pending)
    await pending
    this.#evicting ??= this.#evict().finally(() => {
      this.#evicting = undefined
    })
    return true
  }

  async #evict(): Promise<void> {
    const { index } = this
    const { maxBytes } = this.#options
    const before = this.#evictedBlocks
    for (;;) {
      const metadata = index.processes.size + index.streams.size
      const metadataIsOver =
        metadata > MAX_PROCESSES_AND_STREAMS || index.metadataBytes > maxBytes * METADATA_SHARE
      if (this.bytes <= maxBytes && index.blocks.size <= MAX_BLOCKS && metadata <= MAX_PROCESSES_AND_STREAMS)
        break
      if (metadataIsOver && (await this.#evictIdleMetadata())) continue
      const oldest = index.blocks.values().next()
      if (oldest.done === true) break
      index.removeBlock(oldest.value)
      await this.#remove('block', oldest.value.blockId)
      if (this.#evictedBlocks++ === 0) {
        this.#options.warn(
          `${this.#options.dataDir} is full (${maxBytes} bytes or ${MAX_BLOCKS} blocks): the oldest blocks are deleted from now on`,
        )
      }
    }
    if (this.#evictedBlocks > before) this.#readyUntil = 0
  }

  /** Deletes the oldest stream without blocks or process without streams; false when there is neither. */
  async #evictIdleMetadata(): Promise<boolean> {
    for (const stream of this.index.streams.values()) {
      if (this.index.blocksOf(stream.streamId).size > 0) continue
      this.index.removeStream(stream)
      await this.#remove('stream', stream.streamId)
      return true
    }
    for (const process of this.index.processes.values()) {
      if (this.index.streamsOf(process.processId).size > 0) continue
      this.index.removeProcess(process)
      await this.#remove('process', process.processId)
      return true
    }
    return false
  }

  async #remove(kind: RecordKind, id: string): Promise<void> {
    try {
      await this.#dir.remove(kind, id)
    } catch (error) {
      this.#options.warn(`cannot delete ${kind} ${id}: ${reasonOf(error)}`)
    }
  }

  async #load(): Promise<void> {
    const found: { readonly header: RecordHeader; readonly fileBytes: number }[] = []
    let files = 0
    for (const { kind, id } of this.#dir.items()) {
      if (++files % FILES_PER_TURN === 0) await nextTurn()
      try {
        found.push(this.#dir.readHeader(kind, id))
      } catch (error) {
        if (error instanceof DamagedRecord) await this.#setAside(kind, id, error.message)
        else this.#options.warn(`cannot read ${kind} ${id}: ${reasonOf(error)}`)
      }
    }
    found.sort((a, b) => a.header.insert_time_ms - b.header.insert_time_ms)
    for (const { header, fileBytes } of found) this.#addLoaded(header, fileBytes)
  }

  #addLoaded(header: RecordHeader, fileBytes: number): void {
    const insertTimeMs = header.insert_time_ms
    switch (header.kind) {
      case 'process':
        this.index.addProcess({ processId: header.id, insertTimeMs, fileBytes })
        break
      case 'stream': {
        const { id: streamId, process_id: processId, tags } = header
        this.index.addStream({ streamId, processId, tags, insertTimeMs, fileBytes })
        break
      }
      case 'block':
        this.index.addBlock({
          blockId: header.id,
          streamId: header.stream_id,
          processId: header.process_id,
          beginTicks: header.begin_ticks,
          endTicks: header.end_ticks,
          beginTimeMicros: header.begin_time_us,
          endTimeMicros: header.end_time_us,
          objectOffset: header.object_offset,
          eventCount: header.nb_objects,
          bodyBytes: header.body_bytes,
          insertTimeMs,
          fileBytes,
        })
    }
  }

  async #setAside(kind: RecordKind, id: string, why: string): Promise<void> {
    try {
      const path = await this.#dir.setAside(kind, id)
      this.#options.warn(`${kind} ${id} was damaged on disk (${why}): moved to ${path}`)
    } catch (error) {
      this.#options.warn(
        `${kind} ${id} is damaged on disk (${why}) and cannot be moved away: ${reasonOf(error)}`,
      )
    }
  }

  #forget(kind: RecordKind, id: string): void {
    const { index } = this
    if (kind === 'process') withItem(index.processes.get(id), (process) => index.removeProcess(process))
    else if (kind === 'stream') withItem(index.streams.get(id), (stream) => index.removeStream(stream))
    else withItem(index.blocks.get(id), (block) => index.removeBlock(block))
  }

  #table(kind: RecordKind): ReadonlyMap<string, StoredProcess | StoredStream | StoredBlock> {
    if (kind === 'process') return this.index.processes
    return kind === 'stream' ? this.index.streams : this.index.blocks
  }
}

function isKnownTag(tag: string): boolean {
  return tag === 'log' || tag === 'metrics' || tag === 'cpu' || tag === 'image'
}

function withItem<T>(item: T | undefined, action: (item: T) => void): void {
  if (item !== undefined) action(item)
}
