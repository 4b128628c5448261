import { EMPTY_REPORT } from '../model/delivery-report.ts'
import type {
  DeliveryCount,
  DeliveryReport,
  EventSink,
  SealedBlock,
  StreamKind,
} from '../model/event-sink.ts'
import type { ProcessInfo } from '../model/process-info.ts'
import type { DecodedImage } from '../telemetry/decode/images.ts'
import type { DecodedLogEntry } from '../telemetry/decode/log-entries.ts'
import type { DecodedMeasure } from '../telemetry/decode/measures.ts'
import type { SpanRow } from '../telemetry/decode/span-place.ts'
import {
  asyncSpansOf,
  imagesOf,
  logsOf,
  measuresOf,
  type RecordedBlock,
  threadSpansOf,
} from '../telemetry/recorded-blocks.ts'

export interface InMemoryEventSinkOptions {
  /** Uncompressed bytes of blocks that are kept; beyond, the oldest blocks are let go. @defaultValue `67_108_864` (64 MiB) */
  readonly maxBytes?: number | undefined
}

const NOTHING: DeliveryCount = { blocks: 0, events: 0 }
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024

/**
 * Keeps what is recorded, for tests: of the program that records, not only of telemetry. Events are read out of the very
 * blocks that would be uploaded, once they are sealed: flush telemetry before you look.
 *
 * @example
 * ```ts
 * const sink = new InMemoryEventSink()
 * const telemetry = initTelemetry({ sinks: [{ sink }] })
 * logger('shop').info`order ${42} placed`
 * await telemetry.flush()
 * expect(sink.logs().map((entry) => entry.msg)).toEqual(['order 42 placed'])
 * ```
 */
export class InMemoryEventSink implements EventSink {
  readonly #maxBytes: number
  readonly #processes: Map<string, ProcessInfo> = new Map()
  #blocks: SealedBlock[] = []
  #bytes = 0
  /** Kept, and in no report yet. */
  readonly #unreported: Set<SealedBlock> = new Set()
  /** Let go before any report. */
  #lost: DeliveryCount = NOTHING
  #stopped: Promise<DeliveryReport> | undefined

  /** @throws `RangeError` unless `maxBytes` is a whole number from 1. */
  constructor(options: InMemoryEventSinkOptions = {}) {
    const { maxBytes = DEFAULT_MAX_BYTES } = options
    if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
      throw new RangeError('Cannot make an InMemoryEventSink: maxBytes must be a whole number from 1')
    }
    this.#maxBytes = maxBytes
  }

  /** The process whose telemetry this is; the last one, where several were started. */
  get process(): ProcessInfo | undefined {
    return [...this.#processes.values()].at(-1)
  }

  /** The blocks kept, oldest first. */
  get blocks(): readonly SealedBlock[] {
    return [...this.#blocks]
  }

  onStartup(process: ProcessInfo): void {
    this.#processes.set(process.processId, process)
  }

  onBlock(block: SealedBlock): void {
    if (this.#stopped !== undefined) return
    this.#blocks.push(block)
    this.#unreported.add(block)
    this.#bytes += bytesOf(block)
    while (this.#bytes > this.#maxBytes && this.#blocks.length > 1) this.#forgetOldest()
  }

  flush(): Promise<DeliveryReport> {
    const report = { ...EMPTY_REPORT, delivered: count([...this.#unreported]), dropped: this.#lost }
    this.#unreported.clear()
    this.#lost = NOTHING
    return Promise.resolve(report)
  }

  /** Takes no more blocks; what is kept can still be read. */
  shutdown(): Promise<DeliveryReport> {
    this.#stopped ??= this.flush()
    return this.#stopped
  }

  /** Forgets all blocks. */
  clear(): void {
    this.#blocks = []
    this.#unreported.clear()
    this.#bytes = 0
  }

  /** The log events, stream by stream in the order recorded. @throws {@link TelemetryError} `ERR_TELEMETRY_FORMAT` for a corrupt block. */
  logs(): DecodedLogEntry[] {
    return logsOf(this.#of('log'))
  }

  /** The values of metrics, in the order recorded. @throws {@link TelemetryError} `ERR_TELEMETRY_FORMAT` for a corrupt block. */
  metrics(): DecodedMeasure[] {
    return measuresOf(this.#of('metrics'))
  }

  /** The images, in the order recorded. @throws {@link TelemetryError} `ERR_TELEMETRY_FORMAT` for a corrupt block. */
  images(): DecodedImage[] {
    return imagesOf(this.#of('image'))
  }

  /** The async spans that have ended, in order of their begin. @throws {@link TelemetryError} `ERR_TELEMETRY_FORMAT` for a corrupt block. */
  asyncSpans(): readonly SpanRow[] {
    return asyncSpansOf(this.#of('cpu'))
  }

  /**
   * The synchronous spans, parents before their children, thread by thread. One that is still open ends with the last
   * block.
   *
   * @throws {@link TelemetryError} `ERR_TELEMETRY_FORMAT` for a corrupt block.
   */
  threadSpans(): SpanRow[] {
    return threadSpansOf(this.#of('cpu'))
  }

  #of(kind: StreamKind): RecordedBlock[] {
    return this.#blocks
      .filter((block) => block.stream.kind === kind)
      .map((block) => ({ block, process: this.#processOf(block) }))
  }

  #processOf({ stream }: SealedBlock): ProcessInfo {
    const process = this.#processes.get(stream.processId)
    if (process === undefined) {
      throw new TypeError('Cannot read a block: onStartup was not called with its process')
    }
    return process
  }

  #forgetOldest(): void {
    const oldest = this.#blocks.shift()!
    this.#bytes -= bytesOf(oldest)
    if (!this.#unreported.delete(oldest)) return
    this.#lost = { blocks: this.#lost.blocks + 1, events: this.#lost.events + oldest.eventCount }
  }
}

function count(blocks: readonly SealedBlock[]): DeliveryCount {
  return { blocks: blocks.length, events: blocks.reduce((sum, block) => sum + block.eventCount, 0) }
}

function bytesOf(block: SealedBlock): number {
  return block.dependencies.byteLength + block.objects.byteLength
}
