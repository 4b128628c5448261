import type { DictionaryBatch, RecordBatch, Version_, Schema as WireSchema } from '@uwdata/flechette'
import { decodeDictionaryBatch } from '@uwdata/flechette/src/decode/dictionary-batch.js'
import { decodeRecordBatch } from '@uwdata/flechette/src/decode/record-batch.js'
import { decodeSchema } from '@uwdata/flechette/src/decode/schema.js'
import { readInt16, readInt64, readObject, readOffset, readUint8 } from '@uwdata/flechette/src/util/read.js'
import { QueryError } from '../query-error.ts'
import { MetadataVerifier } from './verify-metadata.ts'

/** What an IPC message brings. Layouts say where in the body the buffers are. */
export type MessageContent =
  | { readonly kind: 'schema'; readonly schema: WireSchema; readonly version: Version_ }
  | {
      readonly kind: 'dictionary'
      readonly id: number
      readonly isDelta: boolean
      readonly layout: RecordBatch
    }
  | { readonly kind: 'batch'; readonly layout: RecordBatch }

/** One encapsulated message of an Arrow IPC stream. */
export interface IpcMessage {
  /** Prefix, metadata and body, each beginning at a multiple of 8 of memory of its own. */
  readonly bytes: Uint8Array
  /** The metadata, with its padding. */
  readonly header: Uint8Array
  readonly body: Uint8Array
  readonly content: MessageContent
}

const PREFIX_BYTES = 8
const CONTINUATION = 0xffffffff
const [SCHEMA, DICTIONARY, BATCH] = [1, 2, 3]
/** Continuation and a length of zero: the end of an IPC stream. */
export const END_OF_STREAM: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)

/**
 * Puts the parts of a `FlightData` together. Both are copied: typed arrays need the body at a multiple of 8, which is not
 * where it lies in a received message.
 *
 * @throws {@link QueryError} `DATA_LOSS` when they are no Arrow message, `UNIMPLEMENTED` for a type that is not known.
 */
export function assembleMessage(header: Uint8Array, body: Uint8Array): IpcMessage {
  const padded = (header.length + 7) & ~7
  const buffer = Buffer.allocUnsafeSlow(PREFIX_BYTES + padded + body.length)
  buffer.writeUInt32LE(CONTINUATION, 0)
  buffer.writeUInt32LE(padded, 4)
  buffer.set(header, PREFIX_BYTES)
  buffer.fill(0, PREFIX_BYTES + header.length, PREFIX_BYTES + padded)
  buffer.set(body, PREFIX_BYTES + padded)
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  const bodyAt = PREFIX_BYTES + padded
  return {
    bytes,
    header: bytes.subarray(PREFIX_BYTES, bodyAt),
    body: bytes.subarray(bodyAt),
    content: readContent(header, body.length),
  }
}

/**
 * Takes the messages of an IPC stream apart, such as a prepared statement's schema.
 *
 * @throws {@link QueryError} `DATA_LOSS` when it is cut off or no IPC stream.
 */
export function* splitStream(stream: Uint8Array): Generator<IpcMessage> {
  let offset = 0
  while (offset < stream.length) {
    const lengths = messageLengths(stream.subarray(offset))
    if (lengths === 'end') return
    if (lengths === undefined || offset + lengths.total > stream.length) throw corrupt('its end is missing')
    const header = stream.subarray(offset + PREFIX_BYTES, offset + lengths.header)
    yield assembleMessage(header, stream.subarray(offset + lengths.header, offset + lengths.total))
    offset += lengths.total
  }
}

/** How long the message at the start of `bytes` is; `undefined` when its prefix and metadata are not all there. */
export function messageLengths(
  bytes: Uint8Array,
): { readonly header: number; readonly total: number } | 'end' | undefined {
  if (bytes.length < PREFIX_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== CONTINUATION) throw corrupt('it is not in the IPC stream format')
  const metadata = view.getUint32(4, true)
  if (metadata === 0) return 'end'
  const header = PREFIX_BYTES + metadata
  if (bytes.length < header) return undefined
  return { header, total: header + envelope(bytes.subarray(PREFIX_BYTES, header)).bodyLength }
}

interface Envelope {
  readonly version: Version_
  readonly type: number
  readonly offset: number
  readonly bodyLength: number
}

/** Message.fbs: version, header type, header, body length. */
function envelope(header: Uint8Array): Envelope {
  return decoding(() => {
    const get = readObject(header, 0)
    const bodyLength = get(10, readInt64, 0)
    if (!(bodyLength >= 0)) throw corrupt('a message has no length')
    return {
      version: get(4, readInt16, 0) as Version_,
      type: get(6, readUint8, 0),
      offset: get(8, readOffset, 0),
      bodyLength,
    }
  })
}

function readContent(header: Uint8Array, available: number): MessageContent {
  const { version, type, offset, bodyLength } = envelope(header)
  if (bodyLength > available) throw corrupt(`a message has ${available} of its ${bodyLength} bytes`)
  return decoding(() => {
    const verifier = new MetadataVerifier(header)
    if (type === BATCH) verifier.recordBatch(offset)
    else if (type === DICTIONARY) verifier.dictionaryBatch(offset)
    else if (type === SCHEMA) verifier.schema(offset)
    if (type === BATCH) return { kind: 'batch', layout: decodeRecordBatch(header, offset, version) }
    if (type === DICTIONARY) {
      const { id, isDelta, data }: DictionaryBatch = decodeDictionaryBatch(header, offset, version)
      return { kind: 'dictionary', id, isDelta, layout: data }
    }
    if (type !== SCHEMA) throw corrupt(`a message is of an unknown kind (${type})`)
    const schema = decodeSchema(header, offset, version)
    if (schema.endianness !== 0) {
      throw new QueryError('UNIMPLEMENTED', 'Cannot read the answer: its numbers are big-endian')
    }
    return { kind: 'schema', schema, version }
  })
}

/** What goes wrong in the middle of metadata that is damaged is an error of the data, whatever the code stumbles over. */
export function decoding<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof QueryError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    // Flechette's words for type numbers, widths and units past those that it knows.
    if (/unsupported data type|must be one of/i.test(reason)) {
      throw new QueryError('UNIMPLEMENTED', `Cannot read the answer: ${reason}`, { cause: error })
    }
    throw corrupt(reason, error)
  }
}

/** The error for an answer that is not valid Arrow data. */
export function corrupt(reason: string, cause?: unknown): QueryError {
  return new QueryError('DATA_LOSS', `Cannot read the answer: ${reason}`, { cause })
}
