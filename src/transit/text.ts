/** Writes strings as UTF-8 into preallocated buffers, through views of the same memory. Lone surrogates become U+FFFD. */

/** UTF-8 takes at most this many bytes for a UTF-16 code unit. */
export const MAX_UTF8_BYTES_PER_CHAR = 3

/**
 * Up to this many characters a loop over `charCodeAt` beats the call into `Buffer.write`: on Node 20 to 26, x64, the two
 * meet between 60 and 100 characters.
 */
export const LOOP_MAX_CHARS = 64

/** A text that is written often: its UTF-8 bytes as little-endian words, the last one padded with zeros. */
export interface EncodedText {
  readonly byteLength: number
  readonly words: Uint32Array
}

export function encodeText(text: string): EncodedText {
  const utf8 = Buffer.from(text)
  const padded = Buffer.alloc(Math.ceil(utf8.length / 4) * 4)
  utf8.copy(padded)
  const words = Uint32Array.from({ length: padded.length / 4 }, (_, i) => padded.readUInt32LE(i * 4))
  return { byteLength: utf8.length, words }
}

/**
 * Writes an encoded text at `offset` and returns the offset after it. Whole words are stored: up to 3 bytes after the text
 * are overwritten with zeros.
 */
export function writeEncoded(view: DataView, offset: number, { byteLength, words }: EncodedText): number {
  for (let i = 0; i < words.length; i++) view.setUint32(offset + i * 4, words[i]!, true)
  return offset + byteLength
}

/**
 * Writes `text` at `offset` and returns the offset after it.
 *
 * @param bytes - Has room for 3 bytes per UTF-16 code unit.
 * @param view - The memory of `bytes`.
 */
export function writeText(bytes: Buffer, view: DataView, offset: number, text: string): number {
  if (text.length <= LOOP_MAX_CHARS) {
    const end = writeAscii(view, offset, text)
    if (end >= 0) return end
  }
  return offset + bytes.write(text, offset, 'utf8')
}

/** Writes a text character by character and returns the offset after it; -1 for one that is not ASCII. */
export function writeAscii(view: DataView, offset: number, text: string): number {
  const length = text.length
  let i = 0
  for (; i + 4 <= length; i += 4) {
    const a = text.charCodeAt(i)
    const b = text.charCodeAt(i + 1)
    const c = text.charCodeAt(i + 2)
    const d = text.charCodeAt(i + 3)
    if ((a | b | c | d) > 0x7f) return -1
    view.setUint32(offset + i, a | (b << 8) | (c << 16) | (d << 24), true)
  }
  for (; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return -1
    view.setUint8(offset + i, code)
  }
  return offset + length
}

/** `00` to `99` as little-endian pairs of digits. */
const DIGIT_PAIRS = Uint16Array.from({ length: 100 }, (_, i) => 0x3030 + Math.floor(i / 10) + ((i % 10) << 8))

/** Writes a 32-bit integer in decimal, at most 11 bytes, and returns the offset after it. */
export function writeInt32(view: DataView, offset: number, value: number): number {
  let cursor = offset
  let rest = value
  if (rest < 0) {
    view.setUint8(cursor++, 0x2d) // -
    rest = -rest
  }
  const end = cursor + countDigits(rest)
  cursor = end
  while (rest >= 100) {
    const quotient = (rest / 100) >>> 0
    cursor -= 2
    view.setUint16(cursor, DIGIT_PAIRS[rest - quotient * 100]!, true)
    rest = quotient
  }
  if (rest >= 10) view.setUint16(cursor - 2, DIGIT_PAIRS[rest]!, true)
  else view.setUint8(cursor - 1, 0x30 + rest)
  return end
}

/** Decimal digits of a whole number from 0 to 2^31. */
function countDigits(value: number): number {
  if (value < 10_000) {
    if (value < 100) return value < 10 ? 1 : 2
    return value < 1000 ? 3 : 4
  }
  if (value < 1_000_000) return value < 100_000 ? 5 : 6
  if (value < 100_000_000) return value < 10_000_000 ? 7 : 8
  return value < 1_000_000_000 ? 9 : 10
}
