import type { SealedBlock, StreamInfo } from '../model/event-sink.ts'
import { isError } from '../model/kinds.ts'
import type { ProcessInfo } from '../model/process-info.ts'
import type { Member, UserDefinedType } from '../transit/reflection.ts'
import { type CborValue, encodeCbor } from './cbor-writer.ts'
import { TickConverter } from './decode/tick-converter.ts'
import { type CompressFrame, loadCompressFrame } from './lz4/lz4.ts'
import { storedFrame } from './lz4/lz4-frame.ts'
import { formatTimestamp } from './timestamps.ts'
import { storableColumn, storableProperties, storableText } from './wire-text.ts'

/**
 * Writes the bodies of the ingestion service's requests: CBOR with text keys, definite lengths and no floats.
 *
 * Every result is a buffer of its own, whose bytes the caller may keep. Text that the service or its database would
 * refuse is repaired: U+0000 is removed, lone surrogates become U+FFFD, and the six description fields of a process are
 * cut to 255 code points.
 */
export interface TelemetryEncoder {
  /**
   * Why blocks are sent uncompressed: the native LZ4 library could not be loaded. `undefined` once it is, which is when the first
   * block is worth it. Never rejects.
   */
  readonly compressionError: Promise<Error | undefined>
  encodeProcess(process: ProcessInfo): Uint8Array
  encodeStream(stream: StreamInfo): Uint8Array
  /**
   * Compresses a block on the thread pool and encodes it.
   *
   * @param process - The process the block was recorded in; block times are relative to its start.
   */
  encodeBlock(block: SealedBlock, process: ProcessInfo): Promise<Uint8Array>
  /** Encodes a block at once, without compressing it: for exit handlers, where no promise runs any more. */
  encodeBlockSync(block: SealedBlock, process: ProcessInfo): Uint8Array
}

/** The two sections of a block, each one LZ4 frame. */
type Payload = Readonly<Record<'dependencies' | 'objects', Uint8Array>>

/**
 * Bytes of a section from which on it is compressed. A service with little to tell then goes without the native library, which
 * takes 5 MiB of memory, for some kilobytes a minute more.
 */
const MIN_COMPRESSED_BYTES = 4096

/**
 * An encoder, at once. Where the native LZ4 library is missing, until it is loaded for what cannot wait, and for what is small,
 * blocks are sent in LZ4 frames of uncompressed data, which every reader takes.
 *
 * @param load - Gives what compresses, or why nothing does; blocks that may wait do until it is there. Never rejects.
 */
export function createTelemetryEncoder(
  load: () => Promise<CompressFrame | Error> = loadCompressFrame,
): TelemetryEncoder {
  return new CborEncoder(load)
}

class CborEncoder implements TelemetryEncoder {
  readonly compressionError: Promise<Error | undefined>
  readonly #load: () => Promise<CompressFrame | Error>
  #compressor: Promise<CompressFrame | Error> | undefined
  #tellError: (error: Error | undefined) => void = () => {}

  constructor(load: () => Promise<CompressFrame | Error>) {
    this.#load = load
    this.compressionError = new Promise((resolve) => {
      this.#tellError = resolve
    })
  }

  encodeProcess(process: ProcessInfo): Uint8Array {
    return encodeCbor({
      process_id: process.processId,
      exe: storableColumn(process.exe),
      username: storableColumn(process.username),
      realname: storableColumn(process.realname),
      computer: storableColumn(process.computer),
      distro: storableColumn(process.distro),
      cpu_brand: storableColumn(process.cpuBrand),
      tsc_frequency: process.tscFrequency,
      start_time: formatTimestamp(process.startTimeMicros),
      start_ticks: process.startTicks,
      parent_process_id: process.parentProcessId ?? null, // the key must be there
      properties: storableProperties(process.properties),
    })
  }

  encodeStream(stream: StreamInfo): Uint8Array {
    return encodeCbor({
      process_id: stream.processId,
      stream_id: stream.streamId,
      dependencies_metadata: stream.dependenciesMetadata.map(wireType),
      objects_metadata: stream.objectsMetadata.map(wireType),
      tags: [storableText(stream.kind)],
      properties: storableProperties(stream.properties),
    })
  }

  async encodeBlock(block: SealedBlock, process: ProcessInfo): Promise<Uint8Array> {
    const [dependencies, objects] = await Promise.all([
      this.#frame(block.dependencies),
      this.#frame(block.objects),
    ])
    return this.#encodeBlock(block, process, { dependencies, objects })
  }

  encodeBlockSync(block: SealedBlock, process: ProcessInfo): Uint8Array {
    const dependencies = storedFrame(block.dependencies)
    const objects = storedFrame(block.objects)
    return this.#encodeBlock(block, process, { dependencies, objects })
  }

  async #frame(content: Uint8Array): Promise<Uint8Array> {
    if (content.byteLength < MIN_COMPRESSED_BYTES) return storedFrame(content, content.byteLength > 0)
    this.#compressor ??= this.#startLoading()
    const compress = await this.#compressor
    if (isError(compress)) return storedFrame(content)
    try {
      return await compress(content)
    } catch {
      return storedFrame(content) // larger, and as good
    }
  }

  async #startLoading(): Promise<CompressFrame | Error> {
    const compress = await this.#load()
    this.#tellError(isError(compress) ? compress : undefined)
    return compress
  }

  #encodeBlock(block: SealedBlock, process: ProcessInfo, payload: Payload): Uint8Array {
    const beginTicks = block.beginTicks - process.startTicks
    const endTicks = block.endTicks - process.startTicks
    const ticks = new TickConverter(process)
    return encodeCbor({
      block_id: block.blockId,
      stream_id: block.stream.streamId,
      process_id: process.processId,
      // derived from ticks, outwards to whole microseconds: the two must bracket the events as readers convert them
      begin_time: formatTimestamp(floorToMicros(ticks.relativeToNanoseconds(beginTicks))),
      begin_ticks: beginTicks,
      end_time: formatTimestamp(-floorToMicros(-ticks.relativeToNanoseconds(endTicks))),
      end_ticks: endTicks,
      payload,
      object_offset: block.objectOffset,
      nb_objects: block.eventCount,
    })
  }
}

function wireType(type: UserDefinedType): CborValue {
  return {
    name: type.name,
    size: type.size,
    members: type.members.map(wireMember),
    is_reference: type.isReference,
  }
}

function wireMember(member: Member): CborValue {
  return {
    name: member.name,
    type_name: member.typeName,
    offset: member.offset,
    size: member.size,
    is_reference: member.isReference,
  }
}

/** Nanoseconds to microseconds, rounded down also before 1970. */
function floorToMicros(nanoseconds: bigint): bigint {
  const micros = nanoseconds / 1000n
  return micros * 1000n > nanoseconds ? micros - 1n : micros
}
