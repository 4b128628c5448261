import { expect, test } from 'vitest'
import { dispatch } from '../../src/tracing/dispatch.ts'
import { recordImage } from '../../src/tracing/image.ts'
import { MAX_IMAGE_BYTES } from '../../src/tracing/limits.ts'
import { startRecording } from './support/recording.ts'

test('an image arrives with its name, format and bytes, which are copied when it is recorded', async () => {
  await using recording = startRecording()
  const data = Uint8Array.of(1, 2, 3)
  recordImage('shot é', 'png', data)
  data.fill(9)
  recordImage('', '', new Uint8Array(0))
  recordImage('part', 'bin', Buffer.from('abcdef').subarray(2, 4))
  expect(recording.images().map(({ name, format, data: bytes }) => [name, format, [...bytes]])).toEqual([
    ['shot é', 'png', [1, 2, 3]],
    ['', '', []],
    ['part', 'bin', [0x63, 0x64]],
  ])
})

test('images that do not fit in a block together are sent in several', async () => {
  await using recording = startRecording()
  for (let i = 0; i < 5; i++) recordImage(`image ${i}`, 'raw', new Uint8Array(700_000).fill(i))
  recordImage('large', 'raw', new Uint8Array(5_000_000).fill(7))
  recordImage('small', 'raw', Uint8Array.of(8))
  const images = recording.images()
  expect(images.map(({ data }) => [data.length, data.at(-1)])).toEqual([
    ...[0, 1, 2, 3, 4].map((i) => [700_000, i]),
    [5_000_000, 7],
    [1, 8],
  ])
  expect(recording.blocks('image').length).toBeGreaterThan(4)
})

test('the largest image is recorded, a larger one is left out and counted', async () => {
  await using recording = startRecording()
  const { invalid } = dispatch.stats.image
  recordImage('largest', 'raw', new Uint8Array(MAX_IMAGE_BYTES))
  recordImage('too large', 'raw', new Uint8Array(MAX_IMAGE_BYTES + 1))
  expect(recording.images().map(({ name }) => name)).toEqual(['largest'])
  expect(dispatch.stats.image.invalid - invalid).toBe(1)
})

test.each([['a text'], [new Uint16Array(4)], [new ArrayBuffer(4)], [[1, 2, 3]], [null], [undefined]])(
  'data that is no byte array (%s) is left out and counted',
  async (data) => {
    await using recording = startRecording()
    const { invalid } = dispatch.stats.image
    recordImage('image', 'png', data as unknown as Uint8Array)
    expect(recording.images()).toEqual([])
    expect(dispatch.stats.image.invalid - invalid).toBe(1)
  },
)
