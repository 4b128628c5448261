import { isAscii } from 'node:buffer'
import { corrupt } from '../ipc-message.ts'
import type { DataType } from '../schema.ts'
import { type BufferCursor, checkOffsets } from './buffer-cursor.ts'
import type { Read } from './temporal-readers.ts'

type Layout = Extract<DataType, { readonly kind: 'utf8' }>['layout']
/** Bytes that are shared with the batch: to be copied or decoded before they are handed out. */
export type ReadBytes = (index: number) => Uint8Array

/** The length of a view that holds its bytes itself. */
const MAX_INLINE = 12

export function bytesReader(cursor: BufferCursor, layout: Layout, length: number): ReadBytes {
  if (layout === 'view') return viewReader(cursor, length)
  const offsets = cursor.offsets(length, layout === 'large')
  const values = cursor.bytes()
  checkOffsets(offsets, values.length)
  return (index) => values.subarray(offsets[index]!, offsets[index + 1]!)
}

export function textReader(cursor: BufferCursor, layout: Layout, length: number): Read {
  if (layout === 'view') {
    const read = viewReader(cursor, length)
    return (index) => buffer(read(index)).toString()
  }
  const offsets = cursor.offsets(length, layout === 'large')
  const bytes = cursor.bytes()
  checkOffsets(offsets, bytes.length)
  const values = buffer(bytes)
  // Most telemetry is ASCII, which is decoded several times as fast when it is known to be.
  const encoding = isAscii(bytes) ? 'latin1' : 'utf8'
  return (index) => values.toString(encoding, offsets[index]!, offsets[index + 1]!)
}

export function fixedSizeBytesReader(cursor: BufferCursor, size: number, length: number): ReadBytes {
  const values = cursor.typed(Uint8Array, size * length)
  return (index) => values.subarray(index * size, (index + 1) * size)
}

/** 16 bytes each: the length, then the bytes themselves or a prefix, the number of a data buffer and an offset in it. */
function viewReader(cursor: BufferCursor, length: number): ReadBytes {
  const views = cursor.typed(Uint8Array, 16 * length)
  const fields = new DataView(views.buffer, views.byteOffset, views.byteLength)
  const buffers = cursor.dataBuffers()
  return (index) => {
    const at = 16 * index
    const size = fields.getInt32(at, true)
    if (size <= MAX_INLINE) return views.subarray(at + 4, at + 4 + size)
    const data = buffers[fields.getInt32(at + 8, true)]
    const offset = fields.getInt32(at + 12, true)
    if (data === undefined || offset < 0 || offset + size > data.length) {
      throw corrupt('a view lies outside of its buffer')
    }
    return data.subarray(offset, offset + size)
  }
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
