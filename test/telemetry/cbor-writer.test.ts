import { encode } from 'cborg'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { writeCbor } from '../../src/telemetry/cbor-writer.ts'
import { loadTelemetryEncoder, plainTelemetryEncoder } from '../../src/telemetry/encoder.ts'
import { testBlock, testProcess, testStream } from '../sink/support/blocks.ts'

const UNSORTED = { mapSorter: undefined } as unknown as Parameters<typeof encode>[1]

test('writes the bytes that the library writes', () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.boolean(),
    fc.constant(null),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.uint8Array({ maxLength: 300 }),
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('tree'), { maxLength: 30 }),
      fc.dictionary(fc.string({ maxLength: 30 }), tie('tree'), { maxKeys: 30, noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(tree, (value) => {
      expect(Buffer.from(writeCbor(value)).toString('hex')).toBe(
        Buffer.from(encode(value, UNSORTED)).toString('hex'),
      )
    }),
  )
})

test.each([0, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, -1, -24, -25, -256, -257])(
  'the integer %i takes the shortest form',
  (value) => {
    expect(Buffer.from(writeCbor(value))).toEqual(Buffer.from(encode(value)))
  },
)

test.each([1.5, Number.NaN, 2 ** 53, undefined, () => {}, Symbol('s')])('%s is refused', (value) => {
  expect(() => writeCbor([value])).toThrow(TypeError)
})

test('the encoder without libraries writes what the other one writes at the end of a process', async () => {
  const process = testProcess({ properties: { region: 'eu' }, parentProcessId: undefined })
  const stream = testStream(process)
  const block = testBlock(stream, 300, 70_000)
  const [loaded, plain] = [await loadTelemetryEncoder(), plainTelemetryEncoder()]
  expect(Buffer.from(plain.encodeProcess(process))).toEqual(Buffer.from(loaded.encodeProcess(process)))
  expect(Buffer.from(plain.encodeStream(stream))).toEqual(Buffer.from(loaded.encodeStream(stream)))
  expect(Buffer.from(plain.encodeBlockSync(block, process))).toEqual(
    Buffer.from(loaded.encodeBlockSync(block, process)),
  )
})
