import type { InsertKind } from '../../http/endpoint.ts'
import type { SealedBlock, StreamInfo, StreamKind } from '../../model/event-sink.ts'
import type { ProcessInfo } from '../../model/process-info.ts'
import type { TelemetryEncoder } from '../../telemetry/encoder.ts'
import type { LedgerBatch } from './delivery-ledger.ts'
import { type ItemKind, type Priority, priorityOf } from './priority.ts'

/** A block whose bytes are on disk. */
export interface StoredBlock {
  readonly name: string
  readonly kind: StreamKind
  readonly events: number
  readonly id: string
  /** Bytes of its file. */
  readonly size: number
  /** The body of its insert request. */
  read(): Promise<Uint8Array>
}

/** What an insert request says, or its body. */
export type ItemContent =
  | { readonly insert: 'process'; readonly process: ProcessInfo }
  | { readonly insert: 'stream'; readonly stream: StreamInfo }
  | { readonly insert: 'process' | 'stream'; readonly id: string; readonly body: Uint8Array }
  | { readonly insert: 'block'; readonly block: SealedBlock; readonly process: ProcessInfo }
  | { readonly insert: 'block'; readonly stored: StoredBlock }

/** A block that was recorded here and is not encoded yet. */
type BlockContent = Extract<ItemContent, { readonly block: SealedBlock }>

/** What a queued block costs beside its bytes: objects, ids, its place in the queue. */
export const BLOCK_OVERHEAD_BYTES = 512

/** One insert request from the time it is queued until it is settled, with the state of its retries. */
export class UploadItem {
  readonly insert: InsertKind
  readonly kind: ItemKind
  readonly priority: Priority
  /** Id of the process, stream or block. */
  readonly id: string
  /** Events in it; 0 for metadata. */
  readonly events: number
  readonly batch: LedgerBatch

  /** Attempts that failed. */
  failures = 0
  /** How much speaks against the item itself: failures while others were delivered. */
  suspicion = 0
  /** Failures that {@link suspicion} is made of; they delay the item alone. */
  soloFailures = 0
  /** Items the sink had delivered when this one last failed. */
  deliveredAtFailure = 0
  /** Not to be tried again before this time of the monotonic clock, in milliseconds. */
  notBeforeMs = 0

  #bytes: number
  #origin: { readonly process: ProcessInfo; readonly stream: StreamInfo } | undefined
  #content: ItemContent | undefined
  #body: Uint8Array | undefined
  #encoding: Promise<Uint8Array> | undefined
  #settled = false

  constructor(content: ItemContent, batch: LedgerBatch) {
    this.insert = content.insert
    this.#content = content
    this.batch = batch
    const { id, kind, bytes, events } = describe(content)
    this.id = id
    this.kind = kind
    this.priority = priorityOf(kind)
    this.#bytes = bytes
    this.events = events
    if ('block' in content) this.#origin = { process: content.process, stream: content.block.stream }
  }

  /** What it counts for in the byte budget; nothing for metadata. */
  get bytes(): number {
    return this.#bytes
  }

  /** The process and the stream of a block that was recorded here. */
  get origin(): { readonly process: ProcessInfo; readonly stream: StreamInfo } | undefined {
    return this.#origin
  }

  /** Whether its bytes are on disk rather than in memory. */
  get isStored(): boolean {
    return this.#content !== undefined && 'stored' in this.#content
  }

  /** Delivered or given up: whatever else happens to it counts no more. */
  get settled(): boolean {
    return this.#settled
  }

  /** The encoded body: every attempt sends the same bytes. Made once, unless it is on disk. */
  async encode(encoder: TelemetryEncoder): Promise<Uint8Array> {
    if (this.#body !== undefined) return this.#body
    const content = this.#present()
    if ('stored' in content) return content.stored.read()
    if (!('block' in content)) return this.encodeSync(encoder)
    this.#encoding ??= this.#encodeBlock(encoder, content)
    return this.#encoding
  }

  /**
   * The encoded body without waiting, for the end of a process: not compressed unless it was already.
   *
   * @throws `TypeError` for a block on disk.
   */
  encodeSync(encoder: TelemetryEncoder): Uint8Array {
    if (this.#body !== undefined) return this.#body
    const content = this.#present()
    if ('body' in content) return content.body
    if ('block' in content) return encoder.encodeBlockSync(content.block, content.process)
    if ('stored' in content) throw new TypeError('Cannot read a spooled block at once')
    return content.insert === 'process'
      ? encoder.encodeProcess(content.process)
      : encoder.encodeStream(content.stream)
  }

  /** Its bytes are on disk: they need not be in memory. Returns how much less it counts for. */
  store(stored: StoredBlock): number {
    const freed = this.#bytes - BLOCK_OVERHEAD_BYTES
    this.#bytes = BLOCK_OVERHEAD_BYTES
    this.#content = { insert: 'block', stored }
    this.#body = undefined
    return freed
  }

  /** Lets go of the bytes. */
  settle(): void {
    this.#settled = true
    // What is being encoded is read until that has come to its end.
    const content = this.#content
    if (content !== undefined && 'block' in content && this.#encoding === undefined) content.block.release?.()
    this.#body = undefined
    this.#content = undefined
    this.#origin = undefined
  }

  async #encodeBlock(encoder: TelemetryEncoder, { block, process }: BlockContent): Promise<Uint8Array> {
    try {
      const body = await encoder.encodeBlock(block, process)
      if (!this.#settled && !this.isStored) {
        this.#body = body
        this.#content = undefined // the uncompressed bytes are no longer needed
      }
      block.release?.()
      return body
    } finally {
      this.#encoding = undefined
    }
  }

  #present(): ItemContent {
    if (this.#content === undefined) throw new Error('the item is settled')
    return this.#content
  }
}

function describe(content: ItemContent): {
  readonly id: string
  readonly kind: ItemKind
  readonly bytes: number
  readonly events: number
} {
  if ('stored' in content) {
    const { id, kind, events } = content.stored
    return { id, kind, bytes: BLOCK_OVERHEAD_BYTES, events }
  }
  if ('block' in content) {
    const { blockId: id, stream, dependencies, objects, eventCount: events } = content.block
    return {
      id,
      kind: stream.kind,
      bytes: dependencies.byteLength + objects.byteLength + BLOCK_OVERHEAD_BYTES,
      events,
    }
  }
  const metadata = { kind: 'metadata', bytes: 0, events: 0 } as const
  if ('body' in content) return { id: content.id, ...metadata }
  return {
    id: content.insert === 'process' ? content.process.processId : content.stream.streamId,
    ...metadata,
  }
}
