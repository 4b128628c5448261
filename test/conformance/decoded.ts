import type { UserDefinedType } from '../../src/transit/reflection.ts'
import type { NumericKind, PropertyList } from '../../src/transit/value.ts'
import { lines } from './recording.ts'

/** What a recording holds, in a form that both readers are brought into. */
export interface Decoded {
  readonly processes: readonly DecodedProcess[]
  readonly streams: readonly DecodedStream[]
  readonly blocks: readonly DecodedBlock[]
  readonly errors: readonly DecodingError[]
}

export interface DecodedProcess {
  readonly processId: string
  readonly exe: string
  readonly username: string
  readonly realname: string
  readonly computer: string
  readonly distro: string
  readonly cpuBrand: string
  readonly tscFrequency: bigint
  readonly startTimeMicros: bigint
  readonly startTicks: bigint
  readonly parentProcessId: string | undefined
  readonly properties: Readonly<Record<string, string>>
}

export interface DecodedStream {
  readonly streamId: string
  readonly processId: string
  readonly dependenciesMetadata: readonly UserDefinedType[]
  readonly objectsMetadata: readonly UserDefinedType[]
  readonly tags: readonly string[]
  readonly properties: Readonly<Record<string, string>>
}

export interface DecodedBlock {
  readonly blockId: string
  readonly streamId: string
  readonly processId: string
  readonly beginTimeMicros: bigint
  readonly beginTicks: bigint
  readonly endTimeMicros: bigint
  readonly endTicks: bigint
  readonly objectOffset: bigint
  readonly objectCount: number
  readonly events: readonly DecodedRecord[]
}

/** A record. The order of its members means nothing: the readers of dynamic types differ in it. */
export interface DecodedRecord {
  readonly typeName: string
  readonly members: ReadonlyMap<string, DecodedValue>
}

/** Numbers keep the type they are stored in. Compare with `Object.is`, as `toEqual` does: zeros have a sign. */
export type DecodedValue =
  | string
  | Uint8Array
  | PropertyList
  | DecodedRecord
  | { readonly kind: NumericKind; readonly value: number | bigint }

export interface DecodingError {
  /** Index of the request in its recording. */
  readonly request: number
  readonly message: string
}

/** Reads the JSON lines that the Rust program prints. */
export function parseDecoded(text: string): Decoded {
  const decoded = { processes: [], streams: [], blocks: [], errors: [] } as {
    processes: DecodedProcess[]
    streams: DecodedStream[]
    blocks: (DecodedBlock & { events: DecodedRecord[] })[]
    errors: DecodingError[]
  }
  for (const line of lines(text).map((json) => JSON.parse(json) as RustLine)) {
    switch (line.kind) {
      case 'process':
        decoded.processes.push(toProcess(line))
        break
      case 'stream':
        decoded.streams.push(toStream(line))
        break
      case 'block':
        decoded.blocks.push(toBlock(line))
        break
      case 'event':
        decoded.blocks.at(-1)!.events.push(toRecord(line))
        break
      case 'error':
        decoded.errors.push({ request: line.request, message: line.error })
    }
  }
  return decoded
}

/** Microseconds since the Unix epoch: what servers keep of a time in UTC with nine digits. */
function parseMicros(time: string): bigint {
  const { seconds, micros } = /^(?<seconds>.*)\.(?<micros>\d{6})\d{3}Z$/.exec(time)!.groups!
  return BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(micros!)
}

type RustLine =
  | RustProcess
  | RustStream
  | RustBlock
  | ({ kind: 'event' } & RustObject)
  | { kind: 'error'; request: number; block_id: string | null; error: string }

interface RustProcess {
  kind: 'process'
  process_id: string
  exe: string
  username: string
  realname: string
  computer: string
  distro: string
  cpu_brand: string
  tsc_frequency: string
  start_time: string
  start_ticks: string
  parent_process_id: string | null
  properties: Record<string, string>
}

interface RustStream {
  kind: 'stream'
  process_id: string
  stream_id: string
  dependencies_metadata: RustType[]
  objects_metadata: RustType[]
  tags: string[]
  properties: Record<string, string>
}

interface RustType {
  name: string
  size: number
  members: { name: string; type_name: string; offset: number; size: number; is_reference: boolean }[]
  is_reference: boolean
}

interface RustBlock {
  kind: 'block'
  block_id: string
  stream_id: string
  process_id: string
  begin_time: string
  begin_ticks: string
  end_time: string
  end_ticks: string
  object_offset: string
  nb_objects: number
}

interface RustObject {
  object: string
  members: [name: string, value: RustValue][]
}

type RustValue =
  | string
  | RustObject
  | { u8: number }
  | { u32: number }
  | { u64: string }
  | { i64: string }
  | { f64: string }
  | { bytes: string }
  | { properties: [string, string][] }

function toProcess(line: RustProcess): DecodedProcess {
  return {
    processId: line.process_id,
    exe: line.exe,
    username: line.username,
    realname: line.realname,
    computer: line.computer,
    distro: line.distro,
    cpuBrand: line.cpu_brand,
    tscFrequency: BigInt(line.tsc_frequency),
    startTimeMicros: parseMicros(line.start_time),
    startTicks: BigInt(line.start_ticks),
    parentProcessId: line.parent_process_id ?? undefined,
    properties: line.properties,
  }
}

function toStream(line: RustStream): DecodedStream {
  return {
    streamId: line.stream_id,
    processId: line.process_id,
    dependenciesMetadata: line.dependencies_metadata.map(toType),
    objectsMetadata: line.objects_metadata.map(toType),
    tags: line.tags,
    properties: line.properties,
  }
}

function toType(type: RustType): UserDefinedType {
  return {
    name: type.name,
    size: type.size,
    members: type.members.map(({ name, type_name, offset, size, is_reference }) => ({
      name,
      typeName: type_name,
      offset,
      size,
      isReference: is_reference,
    })),
    isReference: type.is_reference,
  }
}

function toBlock(line: RustBlock): DecodedBlock & { events: DecodedRecord[] } {
  return {
    blockId: line.block_id,
    streamId: line.stream_id,
    processId: line.process_id,
    beginTimeMicros: parseMicros(line.begin_time),
    beginTicks: BigInt(line.begin_ticks),
    endTimeMicros: parseMicros(line.end_time),
    endTicks: BigInt(line.end_ticks),
    objectOffset: BigInt(line.object_offset),
    objectCount: line.nb_objects,
    events: [],
  }
}

function toRecord(object: RustObject): DecodedRecord {
  return {
    typeName: object.object,
    members: new Map(object.members.map(([name, value]) => [name, toValue(value)])),
  }
}

function toValue(value: RustValue): DecodedValue {
  if (typeof value === 'string') return value
  if ('object' in value) return toRecord(value)
  if ('u8' in value) return { kind: 'u8', value: value.u8 }
  if ('u32' in value) return { kind: 'u32', value: value.u32 }
  if ('u64' in value) return { kind: 'u64', value: BigInt(value.u64) }
  if ('i64' in value) return { kind: 'i64', value: BigInt(value.i64) }
  if ('f64' in value) return { kind: 'f64', value: Buffer.from(value.f64, 'hex').readDoubleBE() }
  if ('bytes' in value) return new Uint8Array(Buffer.from(value.bytes, 'hex'))
  return value.properties
}
