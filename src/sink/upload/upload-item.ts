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
  /** @throws What reading the file throws. */
  read(): Promise<StoredBodies>
}

/** The bodies of the insert requests for a block on disk. */
export interface StoredBodies {
  readonly block: Uint8Array
  /** Of its process and its stream, which its server may not know. */
  readonly descriptions: readonly DescriptionBody[]
}

/** A description that a process which is gone left, as the body of its insert request. */
export interface DescriptionBody {
  readonly insert: 'process' | 'stream'
  readonly id: string
  readonly body: Uint8Array
}

/** What an insert request says, or its body. */
export type ItemContent =
  | { readonly insert: 'process'; readonly process: ProcessInfo }
  | { readonly insert: 'stream'; readonly stream: StreamInfo }
  | DescriptionBody
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

  #failures = 0
  #suspicion = 0
  /** Failures that the suspicion is made of; they delay the item alone. */
  #soloFailures = 0
  /** Items the sink had delivered when this one last failed. */
  #deliveredAtFailure = 0
  #notBeforeMs = 0
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

  /** Attempts that failed. */
  get failures(): number {
    return this.#failures
  }

  /** How much speaks against the item itself: failures while others were delivered. */
  get suspicion(): number {
    return this.#suspicion
  }

  /** Whether it is known to fail while others are delivered: its failures say nothing about the service then. */
  get failsAlone(): boolean {
    return this.#soloFailures > 1
  }

  /** Not to be tried again before this time of the clock, in milliseconds. */
  get notBeforeMs(): number {
    return this.#notBeforeMs
  }

  /**
   * An attempt failed. One that failed before, while others got through, is suspect and waits on its own account.
   *
   * @param deliveredItems - What the sink has delivered so far.
   * @param suspicion - How far the failure speaks against the item.
   * @param soloDelayMs - Its own wait after so many failures of its own.
   */
  noteFailure(
    deliveredItems: number,
    suspicion: number,
    nowMs: number,
    soloDelayMs: (failures: number) => number,
  ): void {
    if (this.#failures > 0 && deliveredItems > this.#deliveredAtFailure) {
      this.#suspicion += suspicion
      this.#notBeforeMs = nowMs + soloDelayMs(this.#soloFailures++)
    }
    this.#failures++
    this.#deliveredAtFailure = deliveredItems
  }

  /** There may be no later: it does not wait on its own account. */
  hurry(): void {
    this.#notBeforeMs = 0
  }

  /**
   * The encoded body: every attempt sends the same bytes. Made once, unless it is on disk.
   *
   * @param onDescribed - Told what else was on disk with it.
   */
  async encode(
    encoder: TelemetryEncoder,
    onDescribed: (descriptions: readonly DescriptionBody[]) => void,
  ): Promise<Uint8Array> {
    if (this.#body !== undefined) return this.#body
    const content = this.#present()
    if ('stored' in content) {
      const { block, descriptions } = await content.stored.read()
      onDescribed(descriptions)
      return block
    }
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
