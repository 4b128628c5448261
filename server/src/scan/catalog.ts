import {
  BlockParser,
  type DecodedBlock,
  type DecodedStream,
  decodeBlock,
  decodeProcess,
  decodeStream,
  decompressFrame,
  EVENT_READERS,
  TelemetryError,
  TickConverter,
  type TransitObject,
} from 'micromegas/wire'
import { compare } from '../nanoseconds.ts'
import { withoutReserved } from '../receive/database-rules.ts'
import type { Store } from '../store/store.ts'
import type { StoredBlock } from '../store/store-index.ts'
import { LruCache } from './lru-cache.ts'
import type { ScanSource } from './scan.ts'

/** A process as it came over the wire. */
export type DecodedProcess = ReturnType<typeof decodeProcess>

/** A stream with what reads its blocks. */
export interface OpenStream {
  readonly info: DecodedStream
  readonly parser: BlockParser
}

/** A block whose stream and process are known. */
export interface OpenBlock {
  readonly stored: StoredBlock
  readonly stream: DecodedStream
  readonly process: DecodedProcess
  /** Converts the block's ticks as the views of logs, metrics and images do. */
  readonly ticks: TickConverter
  /** Bytes held in memory. */
  readonly sectionBytes: number
  /**
   * Parses the events, anew at each call.
   *
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT` from the iteration.
   */
  objects(): Iterable<TransitObject>
}

export type OpenOutcome =
  | { readonly state: 'open'; readonly block: OpenBlock }
  /** Its stream, or the stream's process, has not come yet; `id` is the one that is missing. */
  | { readonly state: 'waiting'; readonly for: 'stream' | 'process'; readonly id: string }
  | { readonly state: 'unreadable'; readonly reason: string }
  /** Deleted, or never there. */
  | { readonly state: 'gone' }

/** Decoded streams and processes are kept up to this size of their encoding. */
const CACHE_BYTES = 16 * 1024 * 1024

/**
 * A hundred thousand strings and descriptors; a block needs a few hundred. Values in memory take many times the bytes
 * they have on the wire, so that these two bounds are what keeps a hostile block from using up the memory.
 */
const MAX_DEPENDENCY_BYTES = 32 * 1024 * 1024
/** A 10 MiB block, where the reference seals, has some 600 000 of the smallest events. */
const MAX_EVENTS = 1_000_000

/** Reads what the store holds. */
export class Catalog {
  readonly #store: Store
  readonly #streams = new LruCache<OpenStream>(CACHE_BYTES)
  readonly #processes = new LruCache<DecodedProcess>(CACHE_BYTES)
  /** Times of events outside the block's own edges, which a producer should not send but may. */
  readonly #eventTimes = new WeakMap<StoredBlock, { readonly fromNs: bigint; readonly toNs: bigint }>()

  constructor(store: Store) {
    this.#store = store
  }

  has(kind: 'stream' | 'process', id: string): boolean {
    const { index } = this.#store
    return kind === 'stream' ? index.streams.has(id) : index.processes.has(id)
  }

  /** The process as it was accepted: without properties that only a server may set. */
  async process(processId: string): Promise<DecodedProcess | undefined> {
    const stored = this.#store.index.processes.get(processId)
    if (stored === undefined) return undefined
    const cached = this.#processes.get(processId)
    if (cached !== undefined) return cached
    const body = await this.#store.read('process', processId)
    if (body === undefined) return undefined
    const decoded = decodeProcess(body)
    const process = { ...decoded, properties: withoutReserved(decoded.properties).kept }
    this.#processes.set(processId, process, stored.fileBytes)
    return process
  }

  async stream(streamId: string): Promise<OpenStream | undefined> {
    const stored = this.#store.index.streams.get(streamId)
    if (stored === undefined) return undefined
    const cached = this.#streams.get(streamId)
    if (cached !== undefined) return cached
    const body = await this.#store.read('stream', streamId)
    if (body === undefined) return undefined
    const decoded = decodeStream(body)
    const info = { ...decoded, properties: withoutReserved(decoded.properties).kept }
    const stream = { info, parser: new BlockParser(info, EVENT_READERS) }
    this.#streams.set(streamId, stream, stored.fileBytes)
    return stream
  }

  /** @param decoded - Saves reading the block when it is at hand. */
  async open(stored: StoredBlock, decoded?: DecodedBlock): Promise<OpenOutcome> {
    const stream = await this.stream(stored.streamId)
    if (stream === undefined) return { state: 'waiting', for: 'stream', id: stored.streamId }
    const process = await this.process(stream.info.processId)
    if (process === undefined) return { state: 'waiting', for: 'process', id: stream.info.processId }
    try {
      const block = decoded ?? (await this.#read(stored))
      if (block === undefined) return { state: 'gone' }
      const { parser, info } = stream
      const ticks = new TickConverter(process, block)
      const dependencies = decompressFrame(block.dependencies, { maxBytes: MAX_DEPENDENCY_BYTES })
      const objects = decompressFrame(block.objects)
      const open: OpenBlock = {
        stored,
        stream: info,
        process,
        ticks,
        sectionBytes: dependencies.length + objects.length,
        objects: () => bounded(() => parser.parse(dependencies, objects)),
      }
      return { state: 'open', block: open }
    } catch (error) {
      return { state: 'unreadable', reason: formatReason(error) }
    }
  }

  /**
   * The clock that span views use: one for all blocks of a process.
   *
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when the process has no frequency and none can be derived.
   */
  processTicks(process: DecodedProcess): TickConverter {
    if (process.tscFrequency > 0n) return new TickConverter(process)
    let endTicks = 0n
    let endTimeMicros = 0n
    for (const block of this.blocksOfProcess(process.processId)) {
      if (block.endTicks > endTicks) endTicks = block.endTicks
      if (block.endTimeMicros > endTimeMicros) endTimeMicros = block.endTimeMicros
    }
    return new TickConverter(process, { endTicks, endTimeMicros })
  }

  blocksOfStream(streamId: string): ReadonlySet<StoredBlock> {
    return this.#store.index.blocksOf(streamId)
  }

  *blocksOfProcess(processId: string): Generator<StoredBlock> {
    for (const stream of this.#store.index.streamsOf(processId))
      yield* this.#store.index.blocksOf(stream.streamId)
  }

  /** Remembers when the events of a block happened, when that is outside what its edges say. */
  noteEventTimes(block: StoredBlock, fromNs: bigint, toNs: bigint): void {
    this.#eventTimes.set(block, { fromNs, toNs })
  }

  /** The blocks with the times between which their events are; those without stream or process are left out. */
  async sources(blocks: Iterable<StoredBlock>): Promise<ScanSource[]> {
    const sources: ScanSource[] = []
    const clocks = new Map<
      string,
      { readonly process: DecodedProcess; readonly ticks: TickConverter | undefined }
    >()
    for (const block of blocks) {
      const processId = this.#store.index.streams.get(block.streamId)?.processId
      if (processId === undefined) continue
      let clock = clocks.get(processId)
      if (clock === undefined) {
        const process = await this.process(processId)
        if (process === undefined) continue
        clock = { process, ticks: process.tscFrequency > 0n ? new TickConverter(process) : undefined }
        clocks.set(processId, clock)
      }
      sources.push(this.#source(block, clock.ticks))
    }
    return sources
  }

  #source(block: StoredBlock, ticks: TickConverter | undefined): ScanSource {
    const beginNs = ticks?.relativeToNanoseconds(block.beginTicks) ?? block.beginTimeMicros * 1000n
    const endNs = ticks?.relativeToNanoseconds(block.endTicks) ?? block.endTimeMicros * 1000n
    const { fromNs = beginNs, toNs = endNs } = this.#eventTimes.get(block) ?? {}
    const times = [beginNs, endNs, fromNs, toNs].sort(compare)
    return { block, fromNs: times[0]!, toNs: times[3]! }
  }

  async #read(stored: StoredBlock): Promise<DecodedBlock | undefined> {
    const body = await this.#store.read('block', stored.blockId)
    return body === undefined ? undefined : decodeBlock(body)
  }
}

function* bounded(parse: () => Iterable<TransitObject>): Generator<TransitObject, void, undefined> {
  let count = 0
  for (const object of parse()) {
    if (++count > MAX_EVENTS) {
      const message = `Cannot read block: it has more than ${MAX_EVENTS} events, the most this server reads`
      throw new TelemetryError('ERR_TELEMETRY_FORMAT', message)
    }
    yield object
  }
}

/**
 * Why telemetry cannot be read.
 *
 * @throws The error itself when it is another one.
 */
export function formatReason(error: unknown): string {
  if (error instanceof TelemetryError && error.code === 'ERR_TELEMETRY_FORMAT') return error.message
  throw error
}
