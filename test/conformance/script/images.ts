import { dispatch } from '../../../src/tracing/dispatch.ts'
import { recordImage } from '../../../src/tracing/image.ts'
import { type ExpectedRecord, UNICODE_NAME } from './expected.ts'

export function recordImages(expected: ExpectedRecord[]): void {
  const allBytes = Uint8Array.from({ length: 256 }, (_, i) => i)
  const images: [name: string, format: string, data: Uint8Array][] = [
    ['all bytes', 'raw', allBytes],
    ['', '', new Uint8Array(0)],
    [UNICODE_NAME, 'png', Buffer.from('89504e470d0a1a0a', 'hex')],
    ['n'.repeat(255), 'raw', new Uint8Array(100_000).fill(0x5a)],
  ]
  for (const [name, format, data] of images) {
    recordImage(name, format, data)
    expected.push({ type: 'ImageEvent', name, format, data: new Uint8Array(data) })
    if (name === '') dispatch.seal()
  }
  dispatch.seal()
}
