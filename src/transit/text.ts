/**
 * Writes strings as UTF-8 into preallocated buffers. The caller guarantees room for 3 bytes per UTF-16 code unit, the
 * most UTF-8 needs; lone surrogates become U+FFFD.
 */

/**
 * Up to this many characters a `charCodeAt` loop beats the call into `Buffer.write`: measured on Node 20, x64, the two
 * meet near 40 characters.
 */
const LOOP_MAX_CHARS = 40

/** Writes `text` at `offset` and returns the offset after it. */
export function writeText(bytes: Buffer, offset: number, text: string): number {
  const length = text.length
  if (length > LOOP_MAX_CHARS) return offset + bytes.write(text, offset, 'utf8')
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return offset + bytes.write(text, offset, 'utf8')
    bytes[offset + i] = code
  }
  return offset + length
}

/** Writes bytes that are already encoded and returns the offset after them. */
export function writeEncoded(bytes: Buffer, offset: number, encoded: Uint8Array): number {
  const length = encoded.length
  if (length > LOOP_MAX_CHARS) {
    bytes.set(encoded, offset)
  } else {
    for (let i = 0; i < length; i++) bytes[offset + i] = encoded[i]!
  }
  return offset + length
}

/** Writes a 32-bit integer in decimal, at most 11 bytes, and returns the offset after it. */
export function writeInt32(bytes: Buffer, offset: number, value: number): number {
  let rest = value
  let cursor = offset
  if (rest < 0) {
    bytes[cursor++] = 0x2d // -
    rest = -rest
  }
  let digits = 1
  for (let bound = 10; bound <= rest && digits < 10; bound *= 10) digits++
  const end = cursor + digits
  for (let i = end - 1; i >= cursor; i--) {
    const quotient = (rest / 10) >>> 0
    bytes[i] = 0x30 + (rest - quotient * 10)
    rest = quotient
  }
  return end
}
