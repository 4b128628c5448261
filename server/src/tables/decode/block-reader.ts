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
import { withoutReserved } from '../../receive/database-rules.ts'
import { LruCache } from '../../scan/lru-cache.ts'
import type { BlockSource } from './block-source.ts'
import { rawMember } from './cbor-slice.ts'

export type ProcessInfo = ReturnType<typeof decodeProcess>

export interface OpenStream {
  readonly info: DecodedStream
  readonly parser: BlockParser
  /** The metadata as it came, in CBOR. */
  readonly dependenciesMetadata: Uint8Array
  readonly objectsMetadata: Uint8Array
}

/** Decoded streams and processes are kept up to this size of their encoding. */
const CACHE_BYTES = 16 * 1024 * 1024
/** These two bounds keep a hostile block from using up the memory: values take many times the bytes of the wire. */
const MAX_DEPENDENCY_BYTES = 32 * 1024 * 1024
const MAX_EVENTS = 1_000_000

/** Reads bodies of the store into what tables are made from. */
export class BlockReader {
  readonly #source: BlockSource
  readonly #streams = new LruCache<OpenStream>(CACHE_BYTES)
  readonly #processes = new LruCache<ProcessInfo>(CACHE_BYTES)

  constructor(source: BlockSource) {
    this.#source = source
  }

  /** The process as it was accepted; `undefined` when it is gone. */
  async process(processId: string): Promise<ProcessInfo | undefined> {
    const cached = this.#processes.get(processId)
    if (cached !== undefined) return cached
    const body = await this.#source.read('process', processId)
    if (body === undefined) return undefined
    const decoded = decodeProcess(body)
    const process = { ...decoded, properties: withoutReserved(decoded.properties).kept }
    this.#processes.set(processId, process, body.length)
    return process
  }

  async stream(streamId: string): Promise<OpenStream | undefined> {
    const cached = this.#streams.get(streamId)
    if (cached !== undefined) return cached
    const body = await this.#source.read('stream', streamId)
    if (body === undefined) return undefined
    const decoded = decodeStream(body)
    const info = { ...decoded, properties: withoutReserved(decoded.properties).kept }
    const stream = {
      info,
      parser: new BlockParser(info, EVENT_READERS),
      dependenciesMetadata: rawMember(body, 'dependencies_metadata'),
      objectsMetadata: rawMember(body, 'objects_metadata'),
    }
    this.#streams.set(streamId, stream, body.length)
    return stream
  }

  /** @throws TelemetryError `ERR_TELEMETRY_FORMAT` for a body that is no block. */
  async block(blockId: string): Promise<DecodedBlock | undefined> {
    const body = await this.#source.read('block', blockId)
    return body === undefined ? undefined : decodeBlock(body)
  }

  /**
   * The events of a block.
   *
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT`, also from the iteration.
   */
  *objects(block: DecodedBlock, stream: OpenStream): Generator<TransitObject, void, undefined> {
    const dependencies = decompressFrame(block.dependencies, { maxBytes: MAX_DEPENDENCY_BYTES })
    let count = 0
    for (const object of stream.parser.parse(dependencies, decompressFrame(block.objects))) {
      if (++count > MAX_EVENTS) {
        throw new TelemetryError(
          'ERR_TELEMETRY_FORMAT',
          `Cannot read block: it has more than ${MAX_EVENTS} events, the most this server reads`,
        )
      }
      yield object
    }
  }
}

/** Converts a block's ticks as the views of logs, metrics and images do. */
export function blockClock(process: ProcessInfo, block: DecodedBlock): TickConverter {
  return new TickConverter(process, block)
}

/** Why telemetry cannot be read. @throws The error itself when it is another one. */
export function unreadable(error: unknown): string {
  if (error instanceof TelemetryError && error.code === 'ERR_TELEMETRY_FORMAT') return error.message
  throw error
}
