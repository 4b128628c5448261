import { concat } from '../arrow/batch-decoder.ts'
import { assembleMessage, corrupt, type IpcMessage, messageLengths } from '../arrow/ipc-message.ts'

/** What can be ingested: an Arrow IPC stream, whole or in pieces of any size. */
export type IpcSource = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

const PREFIX_BYTES = 8

/**
 * The messages of an IPC stream that comes in pieces.
 *
 * @throws {@link QueryError} `DATA_LOSS` when it is cut off or no IPC stream.
 */
export async function* splitSource(source: IpcSource): AsyncGenerator<IpcMessage, void, undefined> {
  let pieces: Uint8Array[] = []
  let available = 0
  let wanted = PREFIX_BYTES
  for await (const piece of source instanceof Uint8Array ? [source] : source) {
    if (!(piece instanceof Uint8Array))
      throw new TypeError('Cannot ingest: expected an Arrow IPC stream as bytes')
    pieces.push(piece)
    available += piece.length
    while (available >= wanted) {
      const bytes = pieces.length === 1 ? pieces[0]! : concat(pieces)
      pieces = [bytes]
      const lengths = messageLengths(bytes)
      if (lengths === 'end') return
      if (lengths === undefined || lengths.total > available) {
        wanted = lengths?.total ?? metadataEnd(bytes)
        continue
      }
      const header = bytes.subarray(PREFIX_BYTES, lengths.header)
      yield assembleMessage(header, bytes.subarray(lengths.header, lengths.total))
      pieces = [bytes.subarray(lengths.total)]
      available -= lengths.total
      wanted = PREFIX_BYTES
    }
  }
  if (available > 0) throw corrupt('its end is missing')
}

/** Where the metadata of the message at the start ends: so much has to be there before its length is known. */
function metadataEnd(bytes: Uint8Array): number {
  return PREFIX_BYTES + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true)
}
