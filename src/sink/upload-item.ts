import type { TelemetryEncoder } from '../telemetry/encoder.ts'
import type { SealedBlock, StreamInfo } from '../tracing/event-sink.ts'
import type { ProcessInfo } from '../tracing/process-info.ts'
import type { LedgerBatch } from './delivery-ledger.ts'
import type { InsertKind } from './endpoint.ts'
import { type ItemKind, type Priority, priorityOf } from './priority.ts'

/** What an insert request says. */
export type ItemContent =
  | { readonly insert: 'process'; readonly process: ProcessInfo }
  | { readonly insert: 'stream'; readonly stream: StreamInfo }
  | { readonly insert: 'block'; readonly block: SealedBlock; readonly process: ProcessInfo }

/** What a queued block costs beside its bytes: objects, ids, its place in the queue. */
export const BLOCK_OVERHEAD_BYTES = 512

/** One insert request from the time it is queued until it is settled, with the state of its retries. */
export class UploadItem {
  readonly insert: InsertKind
  readonly kind: ItemKind
  readonly priority: Priority
  /** Id of the process, stream or block. */
  readonly id: string
  /** What it counts for in the byte budget; nothing for metadata. */
  readonly bytes: number
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

  #content: ItemContent | undefined
  #body: Uint8Array | undefined
  #settled = false

  constructor(content: ItemContent, batch: LedgerBatch) {
    this.insert = content.insert
    this.#content = content
    this.batch = batch
    this.kind = content.insert === 'block' ? content.block.stream.kind : 'metadata'
    this.priority = priorityOf(this.kind)
    this.bytes = content.insert === 'block' ? blockBytes(content.block) : 0
    this.events = content.insert === 'block' ? content.block.eventCount : 0
    this.id = idOf(content)
  }

  /** Delivered or given up: whatever else happens to it counts no more. */
  get settled(): boolean {
    return this.#settled
  }

  /** The encoded body, made once: every attempt sends the same bytes. */
  async encode(encoder: TelemetryEncoder): Promise<Uint8Array> {
    if (this.#body !== undefined) return this.#body
    const content = this.#present()
    const body =
      content.insert === 'block'
        ? await encoder.encodeBlock(content.block, content.process)
        : this.encodeSync(encoder)
    if (this.#settled) return body
    this.#body = body
    this.#content = undefined // the uncompressed bytes are no longer needed
    return body
  }

  /** The encoded body without waiting, for the end of a process: not compressed unless it was already. */
  encodeSync(encoder: TelemetryEncoder): Uint8Array {
    if (this.#body !== undefined) return this.#body
    const content = this.#present()
    switch (content.insert) {
      case 'process':
        return encoder.encodeProcess(content.process)
      case 'stream':
        return encoder.encodeStream(content.stream)
      case 'block':
        return encoder.encodeBlockSync(content.block, content.process)
    }
  }

  /** Lets go of the bytes. */
  settle(): void {
    this.#settled = true
    this.#body = undefined
    this.#content = undefined
  }

  #present(): ItemContent {
    if (this.#content === undefined) throw new Error('the item is settled')
    return this.#content
  }
}

/** What a block counts for in the byte budget. */
function blockBytes(block: SealedBlock): number {
  return block.dependencies.byteLength + block.objects.byteLength + BLOCK_OVERHEAD_BYTES
}

function idOf(content: ItemContent): string {
  switch (content.insert) {
    case 'process':
      return content.process.processId
    case 'stream':
      return content.stream.streamId
    case 'block':
      return content.block.blockId
  }
}
