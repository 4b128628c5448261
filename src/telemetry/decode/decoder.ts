import type { ProcessInfo } from '../../model/process-info.ts'
import type { Member, UserDefinedType } from '../../transit/reflection.ts'
import { parseTimestamp } from '../timestamps.ts'
import { parseUuid } from '../uuid.ts'
import { CborReader } from './cbor-reader.ts'

const I64_MIN = -(2n ** 63n)
const I64_MAX = 2n ** 63n - 1n
const U64_MAX = 2n ** 64n - 1n
const I32_MIN = -(2n ** 31n)
const I32_MAX = 2n ** 31n - 1n

/** A stream as it came over the wire. */
export interface DecodedStream {
  readonly streamId: string
  readonly processId: string
  readonly dependenciesMetadata: readonly UserDefinedType[]
  readonly objectsMetadata: readonly UserDefinedType[]
  /** What the stream holds, such as `log`; producers send one, the wire allows any number. */
  readonly tags: readonly string[]
  readonly properties: Readonly<Record<string, string>>
}

/** A block as it came over the wire: nothing in its payload has been looked at. */
export interface DecodedBlock {
  readonly blockId: string
  readonly streamId: string
  readonly processId: string
  /** Microseconds since the Unix epoch. */
  readonly beginTimeMicros: bigint
  /** Microseconds since the Unix epoch. */
  readonly endTimeMicros: bigint
  /** Ticks since the start of the process. */
  readonly beginTicks: bigint
  /** Ticks since the start of the process. */
  readonly endTicks: bigint
  /** One LZ4 frame, sharing memory with the input. */
  readonly dependencies: Uint8Array
  /** One LZ4 frame, sharing memory with the input. */
  readonly objects: Uint8Array
  /** Events in all earlier blocks of the stream. */
  readonly objectOffset: bigint
  /** Events in the block, as the producer claims: any 32-bit integer. */
  readonly eventCount: number
}

/**
 * Reads the body of an `insert_process` request. Ids come out hyphenated and in lower case. What follows the item is
 * ignored.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` for everything that the ingestion service answers with 400.
 */
export function decodeProcess(bytes: Uint8Array): ProcessInfo {
  const reader = new CborReader(bytes)
  const info: { -readonly [K in keyof ProcessInfo]?: ProcessInfo[K] } = {}
  reader.readStruct('process', {
    process_id: () => {
      info.processId = parseUuid(reader.readText('process_id'), 'process_id')
    },
    exe: () => {
      info.exe = reader.readText('exe')
    },
    username: () => {
      info.username = reader.readText('username')
    },
    realname: () => {
      info.realname = reader.readText('realname')
    },
    computer: () => {
      info.computer = reader.readText('computer')
    },
    distro: () => {
      info.distro = reader.readText('distro')
    },
    cpu_brand: () => {
      info.cpuBrand = reader.readText('cpu_brand')
    },
    tsc_frequency: () => {
      info.tscFrequency = reader.readInteger('tsc_frequency', I64_MIN, I64_MAX)
    },
    start_time: () => {
      info.startTimeMicros = parseTimestamp(reader.readShortText('start_time'), 'start_time', 'relaxed')
    },
    start_ticks: () => {
      info.startTicks = reader.readInteger('start_ticks', I64_MIN, I64_MAX)
    },
    parent_process_id: () => {
      const text = reader.readOptionalText('parent_process_id')
      info.parentProcessId = text ? parseUuid(text, 'parent_process_id') : undefined
    },
    properties: () => {
      info.properties = reader.readTextMap('properties')
    },
  })
  return info as ProcessInfo // readStruct has seen every field
}

/**
 * Reads the body of an `insert_stream` request. Ids come out hyphenated and in lower case. What follows the item is
 * ignored. The metadata is well-formed; whether records can be read by it shows when a block is parsed.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` for everything that the ingestion service answers with 400.
 */
export function decodeStream(bytes: Uint8Array): DecodedStream {
  const reader = new CborReader(bytes)
  const stream: { -readonly [K in keyof DecodedStream]?: DecodedStream[K] } = {}
  reader.readStruct('stream', {
    process_id: () => {
      stream.processId = parseUuid(reader.readText('process_id'), 'process_id')
    },
    stream_id: () => {
      stream.streamId = parseUuid(reader.readText('stream_id'), 'stream_id')
    },
    dependencies_metadata: () => {
      stream.dependenciesMetadata = reader.readArray('dependencies_metadata', () => readType(reader))
    },
    objects_metadata: () => {
      stream.objectsMetadata = reader.readArray('objects_metadata', () => readType(reader))
    },
    tags: () => {
      stream.tags = reader.readArray('tags', () => reader.readText('tag'))
    },
    properties: () => {
      stream.properties = reader.readTextMap('properties')
    },
  })
  return stream as DecodedStream // readStruct has seen every field
}

/**
 * Reads the body of an `insert_block` request. Ids come out hyphenated and in lower case. What follows the item is
 * ignored.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` for everything that the ingestion service answers with 400.
 */
export function decodeBlock(bytes: Uint8Array): DecodedBlock {
  const reader = new CborReader(bytes)
  const block: { -readonly [K in keyof DecodedBlock]?: DecodedBlock[K] } = {}
  reader.readStruct('block', {
    block_id: () => {
      block.blockId = parseUuid(reader.readText('block_id'), 'block_id')
    },
    stream_id: () => {
      block.streamId = parseUuid(reader.readText('stream_id'), 'stream_id')
    },
    process_id: () => {
      block.processId = parseUuid(reader.readText('process_id'), 'process_id')
    },
    begin_time: () => {
      block.beginTimeMicros = parseTimestamp(reader.readText('begin_time'), 'begin_time', 'strict')
    },
    begin_ticks: () => {
      block.beginTicks = reader.readInteger('begin_ticks', I64_MIN, I64_MAX)
    },
    end_time: () => {
      block.endTimeMicros = parseTimestamp(reader.readText('end_time'), 'end_time', 'strict')
    },
    end_ticks: () => {
      block.endTicks = reader.readInteger('end_ticks', I64_MIN, I64_MAX)
    },
    payload: () => {
      reader.readStruct('payload', {
        dependencies: () => {
          block.dependencies = reader.readBytes('dependencies')
        },
        objects: () => {
          block.objects = reader.readBytes('objects')
        },
      })
    },
    object_offset: () => {
      block.objectOffset = reader.readInteger('object_offset', I64_MIN, I64_MAX)
    },
    nb_objects: () => {
      block.eventCount = Number(reader.readInteger('nb_objects', I32_MIN, I32_MAX))
    },
  })
  return block as DecodedBlock // readStruct has seen every field
}

function readType(reader: CborReader): UserDefinedType {
  const type: { -readonly [K in keyof UserDefinedType]?: UserDefinedType[K] } = {}
  reader.readStruct('type', {
    name: () => {
      type.name = reader.readText('type name')
    },
    size: () => {
      type.size = readSize(reader, 'type size')
    },
    members: () => {
      type.members = reader.readArray('members', () => readMember(reader))
    },
    is_reference: () => {
      type.isReference = reader.readBoolean('is_reference')
    },
  })
  return type as UserDefinedType
}

function readMember(reader: CborReader): Member {
  const member: { -readonly [K in keyof Member]?: Member[K] } = {}
  reader.readStruct('member', {
    name: () => {
      member.name = reader.readText('member name')
    },
    type_name: () => {
      member.typeName = reader.readText('type_name')
    },
    offset: () => {
      member.offset = readSize(reader, 'member offset')
    },
    size: () => {
      member.size = readSize(reader, 'member size')
    },
    is_reference: () => {
      member.isReference = reader.readBoolean('is_reference')
    },
  })
  return member as Member
}

/** Sizes above 2^53 lose digits, which no reader can notice: they are larger than any record. */
function readSize(reader: CborReader, what: string): number {
  return Number(reader.readInteger(what, 0n, U64_MAX))
}
