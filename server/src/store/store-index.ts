import type { RecordKind } from './data-dir.ts'

/** What the server knows of a stored process without opening its file. */
export interface StoredProcess {
  readonly processId: string
  /** Milliseconds since the Unix epoch, on this server's clock. */
  readonly insertTimeMs: number
  /** Bytes on disk. */
  readonly fileBytes: number
}

/** What the server knows of a stored stream without opening its file. */
export interface StoredStream {
  readonly streamId: string
  readonly processId: string
  /** Those of `log`, `metrics`, `cpu` and `image` that the stream has. */
  readonly tags: readonly string[]
  readonly insertTimeMs: number
  readonly fileBytes: number
}

/** What the server knows of a stored block without opening its file. */
export interface StoredBlock {
  readonly blockId: string
  readonly streamId: string
  /** As the block says; the stream's own process is the one that counts. */
  readonly processId: string
  /** Relative to the start of the process. */
  readonly beginTicks: bigint
  readonly endTicks: bigint
  /** Microseconds since the Unix epoch, as the block says. */
  readonly beginTimeMicros: bigint
  readonly endTimeMicros: bigint
  readonly objectOffset: bigint
  readonly eventCount: number
  /** Bytes of the request body. */
  readonly bodyBytes: number
  readonly insertTimeMs: number
  readonly fileBytes: number
}

/**
 * The items of a store by id and by what they belong to, in the order they were inserted. Items may come in any order:
 * a block is found by its stream's id before the stream is there.
 */
export class StoreIndex {
  readonly processes = new Map<string, StoredProcess>()
  readonly streams = new Map<string, StoredStream>()
  readonly blocks = new Map<string, StoredBlock>()
  readonly #streamsByProcess = new Map<string, Set<StoredStream>>()
  readonly #blocksByStream = new Map<string, Set<StoredBlock>>()
  /** Told of each item as it is added; one at most listens. */
  onAdded: ((item: StoredProcess | StoredStream | StoredBlock) => void) | undefined
  /** Told of each item as it is removed. */
  onRemoved: ((kind: RecordKind, id: string) => void) | undefined
  #blockBytes = 0
  #metadataBytes = 0

  /** Bytes of the files of all blocks. */
  get blockBytes(): number {
    return this.#blockBytes
  }

  /** Bytes of the files of all processes and streams. */
  get metadataBytes(): number {
    return this.#metadataBytes
  }

  streamsOf(processId: string): ReadonlySet<StoredStream> {
    return this.#streamsByProcess.get(processId) ?? EMPTY
  }

  blocksOf(streamId: string): ReadonlySet<StoredBlock> {
    return this.#blocksByStream.get(streamId) ?? EMPTY
  }

  addProcess(process: StoredProcess): void {
    this.processes.set(process.processId, process)
    this.#metadataBytes += process.fileBytes
    this.onAdded?.(process)
  }

  addStream(stream: StoredStream): void {
    this.streams.set(stream.streamId, stream)
    addTo(this.#streamsByProcess, stream.processId, stream)
    this.#metadataBytes += stream.fileBytes
    this.onAdded?.(stream)
  }

  addBlock(block: StoredBlock): void {
    this.blocks.set(block.blockId, block)
    addTo(this.#blocksByStream, block.streamId, block)
    this.#blockBytes += block.fileBytes
    this.onAdded?.(block)
  }

  removeProcess(process: StoredProcess): void {
    if (!this.processes.delete(process.processId)) return
    this.#metadataBytes -= process.fileBytes
    this.onRemoved?.('process', process.processId)
  }

  removeStream(stream: StoredStream): void {
    if (!this.streams.delete(stream.streamId)) return
    removeFrom(this.#streamsByProcess, stream.processId, stream)
    this.#metadataBytes -= stream.fileBytes
    this.onRemoved?.('stream', stream.streamId)
  }

  removeBlock(block: StoredBlock): void {
    if (!this.blocks.delete(block.blockId)) return
    removeFrom(this.#blocksByStream, block.streamId, block)
    this.#blockBytes -= block.fileBytes
    this.onRemoved?.('block', block.blockId)
  }
}

const EMPTY: ReadonlySet<never> = new Set()

function addTo<T>(map: Map<string, Set<T>>, key: string, item: T): void {
  const set = map.get(key)
  if (set === undefined) map.set(key, new Set([item]))
  else set.add(item)
}

function removeFrom<T>(map: Map<string, Set<T>>, key: string, item: T): void {
  const set = map.get(key)
  set?.delete(item)
  if (set?.size === 0) map.delete(key)
}
