import { builtin } from '../model/runtime/builtins.ts'
import { formatError } from './format-error.ts'

const { isUtf8 } = builtin('node:buffer')

/**
 * Encodings of a length-prefixed string (`u8` codec, `u32` byte length, bytes). Source: `StringCodec` of the reference
 * crate `micromegas-transit`.
 */
export const StringCodec = {
  /** Decoded as UTF-8, like the reference does: bytes of an 8-bit code page become U+FFFD. */
  Ansi: 0,
  /** UTF-16LE; the length counts bytes. */
  Wide: 1,
  Utf8: 2,
} as const
export type StringCodec = (typeof StringCodec)[keyof typeof StringCodec]

/** Below this a loop over ASCII bytes beats the call into the decoder (measured on Node 20: about even at 24). */
const SHORT_ASCII_BYTES = 20

/** Made at the first wide string: most processes never read one. */
let utf16Decoder: InstanceType<typeof TextDecoder> | undefined

/**
 * Reads the bytes of a length-prefixed string. Invalid UTF-8 and lone surrogates become U+FFFD.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` for an unknown codec and for an odd number of UTF-16 bytes.
 */
export function decodeString(codec: number, bytes: Buffer, start: number, end: number): string {
  switch (codec) {
    case StringCodec.Ansi:
    case StringCodec.Utf8:
      return decodeUtf8(bytes, start, end)
    case StringCodec.Wide:
      if ((end - start) % 2 !== 0) {
        throw formatError('UTF-16 string', `its length of ${end - start} bytes is odd`)
      }
      utf16Decoder ??= new TextDecoder('utf-16le', { ignoreBOM: true })
      return utf16Decoder.decode(bytes.subarray(start, end))
    default:
      throw formatError('string', `codec ${codec} is unknown`)
  }
}

/** Reads UTF-8; each maximal invalid part becomes one U+FFFD, a byte order mark is kept. */
export function decodeUtf8(bytes: Buffer, start: number, end: number): string {
  if (end - start <= SHORT_ASCII_BYTES) {
    let text = ''
    let at = start
    for (; at < end; at++) {
      const byte = bytes[at]!
      if (byte > 0x7f) break
      text += String.fromCharCode(byte)
    }
    if (at === end) return text
  }
  return bytes.toString('utf8', start, end)
}

/**
 * Reads UTF-8 that must be valid.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when it is not.
 */
export function decodeStrictUtf8(bytes: Buffer, start: number, end: number): string {
  if (!isUtf8(bytes.subarray(start, end))) throw formatError('string', 'it is not valid UTF-8')
  return decodeUtf8(bytes, start, end)
}
