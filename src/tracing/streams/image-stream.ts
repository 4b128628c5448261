import { writeText } from '../../transit/text.ts'
import { writeTicks } from '../clock.ts'
import { MAX_IMAGE_BYTES } from '../limits.ts'
import { EventStream } from './event-stream.ts'
import { IMAGE_LAYOUT } from './stream-layouts.ts'

/** Bytes of an image block's events before it is sealed; a larger image gets a block of its own. */
const IMAGE_BLOCK_BYTES = 1024 * 1024
const CODEC_UTF8 = 2

/** Writes image events. */
export class ImageStream extends EventStream {
  constructor() {
    super('image', IMAGE_LAYOUT, IMAGE_BLOCK_BYTES)
  }

  /** `ImageEvent`; the bytes are copied. */
  writeImage(name: string, format: string, data: Uint8Array): void {
    if (data.byteLength > MAX_IMAGE_BYTES) return this.countInvalid()
    if (!this.prepare(27 + (name.length + format.length) * 3 + data.byteLength)) return
    const start = this.cursor
    const { bytes, view } = this
    let cursor = start + 13
    cursor = writeString(bytes, view, cursor, name)
    cursor = writeString(bytes, view, cursor, format)
    view.setUint32(cursor, data.byteLength, true)
    bytes.set(data, cursor + 4)
    cursor += 4 + data.byteLength
    view.setUint8(start, 0)
    view.setUint32(start + 1, cursor - start - 5, true)
    writeTicks(view, start + 5)
    this.cursor = cursor
    this.eventCount++
  }
}

function writeString(bytes: Buffer, view: DataView, offset: number, text: string): number {
  const end = writeText(bytes, view, offset + 5, text)
  view.setUint8(offset, CODEC_UTF8)
  view.setUint32(offset + 1, end - offset - 5, true)
  return end
}
