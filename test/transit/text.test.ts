import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeText, writeEncoded, writeInt32, writeText } from '../../src/transit/text.ts'

const PREFIX = 3

/** What a writer leaves between its offset and the offset it returns; it has no byte more room than it asks for. */
function written(size: number, write: (bytes: Buffer, view: DataView, offset: number) => number): Buffer {
  const bytes = Buffer.alloc(PREFIX + size, 0xee)
  const end = write(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), PREFIX)
  expect(bytes.subarray(0, PREFIX)).toEqual(Buffer.alloc(PREFIX, 0xee))
  return bytes.subarray(PREFIX, end)
}

const textBytes = (text: string) =>
  written(text.length * 3, (bytes, view, at) => writeText(bytes, view, at, text))

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

  test.each([63, 64, 65])('writes %i characters alike on both sides of the switch to Buffer.write', (n) => {
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

  test.each([0, 1, 2, 3, 4, 5, 62, 63])('finds a character beyond ASCII at position %i of 64', (at) => {
    const text = `${'a'.repeat(at)}é${'a'.repeat(63 - at)}`
    expect(textBytes(text).toString()).toBe(text)
  })

  test('writes nothing for an empty text', () => {
    expect(textBytes('').length).toBe(0)
  })
})

describe('writeEncoded', () => {
  test.each([0, 1, 2, 3, 4, 5, 64, 200])('writes %i bytes, and no more than 3 after them', (n) => {
    const text = 'abcdefghij'.repeat(20).slice(0, n)
    const encoded = encodeText(text)
    expect(written(n + 3, (_, view, at) => writeEncoded(view, at, encoded)).toString()).toBe(text)
  })

  test('writes what is not ASCII as UTF-8, lone surrogates replaced', () => {
    const encoded = encodeText('é→\ud800')
    expect(written(20, (_, view, at) => writeEncoded(view, at, encoded)).toString()).toBe('é→\ufffd')
  })
})

describe('writeInt32', () => {
  const decimal = (value: number) => written(11, (_, view, at) => writeInt32(view, at, value)).toString()

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
