import { decodeBlock, decodeProcess, decodeStream } from '../../src/telemetry/decode/decoder.ts'
import { EVENT_READERS } from '../../src/telemetry/decode/event-readers.ts'
import { decompressFrame } from '../../src/telemetry/lz4/lz4-frame.ts'
import { BlockParser } from '../../src/transit/parser.ts'
import type { NumericKind, TransitObject, TransitValue } from '../../src/transit/value.ts'
import type {
  Decoded,
  DecodedBlock,
  DecodedProcess,
  DecodedRecord,
  DecodedStream,
  DecodedValue,
  DecodingError,
} from './decoded.ts'
import type { RecordedRequest } from './recording.ts'

/** What our own readers find in the requests. */
export function decodeHere(requests: readonly RecordedRequest[]): Decoded {
  const processes: DecodedProcess[] = []
  const streams: DecodedStream[] = []
  const blocks: DecodedBlock[] = []
  const errors: DecodingError[] = []
  const parsers = new Map<string, BlockParser>()
  for (const [request, { path, body }] of requests.entries()) {
    try {
      if (path === 'insert_process') {
        processes.push(decodeProcess(body))
      } else if (path === 'insert_stream') {
        const stream = decodeStream(body)
        streams.push(stream)
        parsers.set(stream.streamId, new BlockParser(stream, EVENT_READERS))
      } else {
        blocks.push(toBlock(body, parsers))
      }
    } catch (error) {
      errors.push({ request, message: String(error) })
    }
  }
  return { processes, streams, blocks, errors }
}

function toBlock(body: Uint8Array, parsers: ReadonlyMap<string, BlockParser>): DecodedBlock {
  const { dependencies, objects, eventCount, ...fields } = decodeBlock(body)
  const parser = parsers.get(fields.streamId)
  if (parser === undefined) throw new Error(`no stream ${fields.streamId} before its block`)
  const events = parser.parse(decompressFrame(dependencies), decompressFrame(objects))
  return { ...fields, objectCount: eventCount, events: Array.from(events, toRecord) }
}

function toRecord(object: TransitObject): DecodedRecord {
  return {
    typeName: object.typeName,
    members: new Map([...object.members].map(([name, value]) => [name, toValue(object.kind(name), value)])),
  }
}

function toValue(kind: NumericKind | undefined, value: TransitValue): DecodedValue {
  if (typeof value === 'number' || typeof value === 'bigint') {
    if (kind === undefined) throw new Error(`the number ${value} has no stored type`)
    return { kind, value }
  }
  if (typeof value === 'string') return value
  // A copy: the parser's bytes share the memory of the block.
  if (value instanceof Uint8Array) return new Uint8Array(value)
  return 'typeName' in value ? toRecord(value) : value
}
