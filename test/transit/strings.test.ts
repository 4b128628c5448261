import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeString, decodeUtf8, StringCodec } from '../../src/transit/strings.ts'
import { expectFormatError } from './format-errors.ts'
import { hex } from './section.ts'

const read = (codec: number, bytes: Buffer) => decodeString(codec, bytes, 0, bytes.length)

test('codec 2 is UTF-8', () => {
  expect(read(StringCodec.Utf8, Buffer.from('żółw 🐢'))).toBe('żółw 🐢')
})

test('codec 0 is read as UTF-8, so that a Latin-1 letter becomes U+FFFD', () => {
  expect(read(StringCodec.Ansi, Buffer.from('plain'))).toBe('plain')
  expect(read(StringCodec.Ansi, hex('63 61 66 e9'))).toBe('caf\ufffd')
})

test('codec 1 is UTF-16LE, its length counted in bytes', () => {
  expect(read(StringCodec.Wide, Buffer.from('hé🐢', 'utf16le'))).toBe('hé🐢')
})

test('lone surrogates of UTF-16 become U+FFFD', () => {
  expect(read(StringCodec.Wide, hex('6100 00d8 6200'))).toBe('a\ufffdb')
  expect(read(StringCodec.Wide, hex('00dc 00d8'))).toBe('\ufffd\ufffd')
  expect(read(StringCodec.Wide, hex('3dd8 3dd8 22dc'))).toBe('\ufffd🐢')
})

test('an odd number of UTF-16 bytes is refused', () => {
  expectFormatError(() => read(StringCodec.Wide, hex('610062')), /3 bytes is odd/)
})

test.each([3, 4, 255])('codec %i is unknown and refused', (codec) => {
  expectFormatError(() => read(codec, Buffer.from('a')), new RegExp(`codec ${codec} is unknown`))
})

test('byte order marks are kept in every codec', () => {
  expect(read(StringCodec.Utf8, Buffer.from('\ufeffa'))).toBe('\ufeffa')
  expect(read(StringCodec.Utf8, Buffer.from(`\ufeff${'long enough for the decoder '.repeat(3)}`))).toMatch(
    /^\ufeff/,
  )
  expect(read(StringCodec.Wide, Buffer.from('\ufeffa', 'utf16le'))).toBe('\ufeffa')
})

test('empty strings are strings', () => {
  for (const codec of [0, 1, 2]) expect(read(codec, Buffer.alloc(0))).toBe('')
})

test('invalid UTF-8 is replaced part by part as the encoding standard says, whatever its length', () => {
  const reference = new TextDecoder('utf-8', { ignoreBOM: true })
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc
      .array(fc.constantFrom(0x61, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x90, 0xed, 0xa0, 0x80, 0xc0, 0xf4, 0xff))
      .map((list) => Uint8Array.from(list)),
  )
  fc.assert(
    fc.property(bytes, (input) => {
      expect(decodeUtf8(Buffer.from(input), 0, input.length)).toBe(reference.decode(input))
    }),
    { numRuns: 2000 },
  )
})
