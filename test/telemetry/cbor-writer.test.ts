import { decode, type EncodeOptions, encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CborValue, encodeCbor } from '../../src/telemetry/cbor-writer.ts'

/** `undefined` is how the library is told not to sort. */
const OPTIONS = { mapSorter: undefined } as unknown as EncodeOptions

const key = fc.string({ unit: 'binary' }).filter((text) => text !== '__proto__')
const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }),
)
const { value } = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value')),
    fc.dictionary(key, tie('value'), { noNullPrototype: true }),
  ),
}))

describe('what is written', () => {
  test('is what a general encoder writes, byte for byte', () => {
    fc.assert(
      fc.property(value, (item) => {
        expect(encodeCbor(item)).toEqual(Buffer.from(encode(item, OPTIONS)))
      }),
    )
  })

  test.each([0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER])(
    'has the shortest head on both sides of zero and for lengths: %d',
    (number) => {
      for (const item of [number, -number, BigInt(number), -1n - BigInt(number)]) {
        expect(encodeCbor(item)).toEqual(Buffer.from(encode(item)))
      }
      if (number > 65_536) return
      const text = 'x'.repeat(number)
      expect(encodeCbor(text)).toEqual(Buffer.from(encode(text)))
    },
  )

  test('keeps the order of a map, whatever its keys are called', () => {
    const map = new Map<string, CborValue>([
      ['z', 1],
      ['__proto__', 2],
      ['7', 3],
      ['', 4],
    ])
    expect([...decode(encodeCbor(map), { useMaps: true })]).toEqual([...map])
  })

  test('has lone surrogates replaced, in the length that its head says', () => {
    expect(decode(encodeCbor(['a\ud800b', '\udc00']))).toEqual(['a\ufffdb', '\ufffd'])
  })
})

test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2n ** 64n, -(2n ** 64n) - 1n])(
  'refuses %s, by its name',
  (number) => {
    expect(() => encodeCbor({ a: [number] })).toThrow(new RegExp(`^Cannot encode ${number}: expected`))
  },
)
