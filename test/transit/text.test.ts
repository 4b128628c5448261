import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeEncoded, writeInt32, writeText } from '../../src/transit/text.ts'

const PREFIX = 3

/** What a writer leaves between its offset and the offset it returns. */
function written(size: number, write: (bytes: Buffer, offset: number) => number): Buffer {
  const bytes = Buffer.alloc(PREFIX + size + 1, 0xee)
  const end = write(bytes, PREFIX)
  expect(bytes.subarray(0, PREFIX)).toEqual(Buffer.alloc(PREFIX, 0xee))
  return bytes.subarray(PREFIX, end)
}

const textBytes = (text: string) => written(text.length * 3, (bytes, at) => writeText(bytes, at, text))

describe('writeText', () => {
  test('writes what TextEncoder writes, for any text of any length', () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 120 })
    const brokenText = fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 120 })
      .map((codes) => String.fromCharCode(...codes))
    fc.assert(
      fc.property(fc.oneof(anyText, brokenText), (text) => {
        expect(textBytes(text)).toEqual(Buffer.from(new TextEncoder().encode(text)))
      }),
    )
  })

  test.each([39, 40, 41])('writes %i characters alike on both sides of the switch to Buffer.write', (n) => {
    expect(textBytes('a'.repeat(n)).toString()).toBe('a'.repeat(n))
    expect(textBytes(`${'a'.repeat(n - 1)}é`).toString()).toBe(`${'a'.repeat(n - 1)}é`)
  })

  test('needs no more than 3 bytes a UTF-16 code unit, and writes that many for the highest of them', () => {
    expect(textBytes('\uffff'.repeat(50)).length).toBe(150)
  })

  test('replaces lone surrogates by U+FFFD, short text and long', () => {
    expect(textBytes('a\ud800b').toString('hex')).toBe('61efbfbd62')
    expect(textBytes('\udc00').toString('hex')).toBe('efbfbd')
    expect(
      textBytes(`${'x'.repeat(50)}\ud83d`)
        .subarray(50)
        .toString('hex'),
    ).toBe('efbfbd')
  })

  test('keeps NUL, which event strings may hold', () => {
    expect(textBytes('a\0b').toString('hex')).toBe('610062')
  })

  test('writes nothing for an empty text', () => {
    expect(textBytes('').length).toBe(0)
  })
})

describe('writeEncoded', () => {
  test.each([0, 1, 40, 41, 200])('copies %i bytes', (n) => {
    const encoded = Uint8Array.from({ length: n }, (_, i) => i * 7)
    expect(written(n, (bytes, at) => writeEncoded(bytes, at, encoded))).toEqual(Buffer.from(encoded))
  })
})

describe('writeInt32', () => {
  const decimal = (value: number) => written(11, (bytes, at) => writeInt32(bytes, at, value)).toString()

  test('writes the decimal text of any 32-bit integer', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.integer({ min: -200, max: 200 })), (value) => {
        expect(decimal(value)).toBe(String(value))
      }),
    )
  })

  test.each([0, -0, 9, 10, 99, 100, 999_999_999, 1_000_000_000, 2 ** 31 - 1, -(2 ** 31), -1, -10])(
    'writes the bound %i',
    (value) => expect(decimal(value)).toBe(String(value)),
  )
})
