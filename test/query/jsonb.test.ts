import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeJsonb, type JsonValue } from '../../src/query/index.ts'

/** Writes JSONB as the server's crate does, for values that JSON has. */
function encode(value: JsonValue): Buffer {
  const [entry, payload] = encodeEntry(value)
  if (entry >>> 28 === 5) return payload
  return Buffer.concat([word(0x2000_0000), word(entry), payload])
}

function encodeEntry(value: JsonValue): [number, Buffer] {
  if (value === null) return [0, Buffer.alloc(0)]
  if (value === false) return [0x3000_0000, Buffer.alloc(0)]
  if (value === true) return [0x4000_0000, Buffer.alloc(0)]
  if (typeof value === 'string') return [0x1000_0000 + Buffer.byteLength(value), Buffer.from(value)]
  if (typeof value === 'number') {
    const number = Buffer.alloc(9, 0x60)
    number.writeDoubleBE(value, 1)
    return [0x2000_0009, number]
  }
  const container = encodeContainer(value as JsonValue[] | { [key: string]: JsonValue })
  return [0x5000_0000 + container.length, container]
}

function encodeContainer(value: JsonValue[] | { [key: string]: JsonValue }): Buffer {
  const items = (Array.isArray(value) ? value : Object.values(value)).map(encodeEntry)
  const keys = Array.isArray(value) ? [] : Object.keys(value).map(encodeEntry)
  const all = [...keys, ...items]
  const header = (Array.isArray(value) ? 0x8000_0000 : 0x4000_0000) + items.length
  return Buffer.concat([
    word(header),
    ...all.map(([entry]) => word(entry)),
    ...all.map(([, payload]) => payload),
  ])
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const scalar = (entry: number, hex: string): Buffer =>
  Buffer.concat([word(0x2000_0000), word(entry), Buffer.from(hex, 'hex')])

test('any JSON that is written is read', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const json = JSON.parse(JSON.stringify(value).replaceAll('-0', '0')) as JsonValue
      expect(decodeJsonb(encode(json))).toEqual(json)
    }),
  )
})

test.each([
  ['zero', '00', 0],
  ['not a number', '10', Number.NaN],
  ['infinity', '20', Number.POSITIVE_INFINITY],
  ['minus infinity', '30', Number.NEGATIVE_INFINITY],
  ['a signed byte', '40ff', -1],
  ['two signed bytes', '408000', -32_768],
  ['four signed bytes', '4080000000', -2_147_483_648],
  ['an unsigned byte', '50ff', 255],
  ['eight bytes that a number holds', '50001fffffffffffff', Number.MAX_SAFE_INTEGER],
  ['eight bytes that no number holds', '50ffffffffffffffff', 18_446_744_073_709_551_615n],
  ['the least integer', '408000000000000000', -9_223_372_036_854_775_808n],
  ['a float', '603ff8000000000000', 1.5],
  ['a decimal of 64 bits', `70${'00000000000000d5'}01`, 21.3],
  ['a negative decimal of 128 bits', `70${'ffffffffffffffffffffffffffffff2b'}01`, -21.3],
  ['a decimal with its precision', `70${'000000000000000000000000000000d5'}0a01`, 21.3],
  ['a decimal of 256 bits', `70${'00'.repeat(31)}7d02`, 1.25],
  ['a whole decimal that no number holds', '707fffffffffffffff00', 9_223_372_036_854_775_807n],
])('the number %s', (_, hex, expected) => {
  expect(decodeJsonb(scalar(0x2000_0000 + hex.length / 2, hex))).toEqual(expected)
})

test('no bytes are null, and bytes stay bytes', () => {
  expect(decodeJsonb(new Uint8Array())).toBeNull()
  expect(decodeJsonb(scalar(0x6000_0003, '000102'))).toEqual(Uint8Array.of(1, 2))
})

test('a key named __proto__ is a key', () => {
  const value = JSON.parse('{"__proto__": {"polluted": true}}')
  const decoded = decodeJsonb(encode(value)) as { [key: string]: JsonValue }
  expect(Object.keys(decoded)).toEqual(['__proto__'])
  expect((decoded as { polluted?: unknown }).polluted).toBeUndefined()
})

test('whatever the bytes, there is a value or DATA_LOSS', () => {
  const valid = encode({ a: [1, 'x', { b: null }], c: true, d: 'text' })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => {
          const bytes = Buffer.from(valid)
          bytes[at] = byte
          return bytes
        }),
        fc.nat(valid.length - 1).map((length) => valid.subarray(0, length)),
      ),
      (bytes) => {
        try {
          decodeJsonb(bytes)
        } catch (error) {
          expect(error).toMatchObject({ name: 'QueryError', code: 'DATA_LOSS' })
        }
      },
    ),
    { numRuns: 2_000 },
  )
})

test('nesting without end is refused', () => {
  let value: JsonValue = []
  for (let i = 0; i < 600; i++) value = [value]
  expect(() => decodeJsonb(encode(value))).toThrow('Cannot read the answer: JSONB is nested too deeply')
})
