import type { IpcMessage } from './ipc.ts'

const PREFIX_BYTES = 8

/** A message with the marks that stand before and after it in a stream; what a schema is sent as outside of FlightData. */
export function encapsulate({ header, body }: IpcMessage, endOfStream: boolean): Uint8Array {
  const end = endOfStream ? PREFIX_BYTES : 0
  const bytes = Buffer.alloc(PREFIX_BYTES + header.length + body.length + end)
  bytes.writeUInt32LE(0xffffffff, 0)
  bytes.writeUInt32LE(header.length, 4)
  bytes.set(header, PREFIX_BYTES)
  bytes.set(body, PREFIX_BYTES + header.length)
  if (endOfStream) bytes.writeUInt32LE(0xffffffff, bytes.length - PREFIX_BYTES)
  return bytes
}
