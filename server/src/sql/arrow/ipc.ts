import { type RecordBatch, RecordBatchStreamWriter, type Schema } from 'apache-arrow'

/** A message of Arrow's interprocess format: a flatbuffer, and the bytes it speaks of. */
export interface IpcMessage {
  readonly header: Uint8Array
  readonly body: Uint8Array
}

/** The message that a stream of an answer begins with. */
export function schemaMessage(schema: Schema): IpcMessage {
  const writer = new RecordBatchStreamWriter()
  writer.reset(undefined, schema)
  writer.finish()
  return messagesOf(writer.toUint8Array(true))[0]!
}

/** A batch, and before it the dictionaries it refers to, whole. */
export function batchMessages(batch: RecordBatch): IpcMessage[] {
  const writer = new RecordBatchStreamWriter()
  writer.write(batch)
  writer.finish()
  return messagesOf(writer.toUint8Array(true)).slice(1)
}

const CONTINUATION = 0xffffffff

/** Parts a stream into its messages; they share its memory. */
function messagesOf(stream: Uint8Array): IpcMessage[] {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
  const messages: IpcMessage[] = []
  for (let offset = 0; offset + 8 <= stream.length; ) {
    if (view.getUint32(offset, true) !== CONTINUATION)
      throw new Error('Cannot read Arrow messages: no marker')
    const length = view.getUint32(offset + 4, true)
    if (length === 0) break
    const from = offset + 8
    const header = stream.subarray(from, from + length)
    const bodyLength = bodyLengthOf(header)
    const body = stream.subarray(from + length, from + length + bodyLength)
    messages.push({ header, body })
    offset = from + length + bodyLength
  }
  return messages
}

/** Slot of `bodyLength` in the flatbuffer table `Message` (Message.fbs of the Arrow format). */
const BODY_LENGTH_SLOT = 3

function bodyLengthOf(header: Uint8Array): number {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const table = view.getUint32(0, true)
  const vtable = table - view.getInt32(table, true)
  const slot = 4 + BODY_LENGTH_SLOT * 2
  const offset = slot < view.getUint16(vtable, true) ? view.getUint16(vtable + slot, true) : 0
  return offset === 0 ? 0 : Number(view.getBigInt64(table + offset, true))
}
