import { formatError } from '../../transit/format-error.ts'

const WHAT = 'LZ4 block'
const MIN_MATCH = 4
/** Nibble that says the length goes on in the bytes that follow. */
const LONG = 15
/** From this many bytes on, copying by a call is faster than by a loop (measured on Node 20, x64: about even at 32). */
const CALL_MIN_BYTES = 48

/**
 * Size of what a compressed LZ4 block decodes to, found without decoding it; `limit` bytes are the most it may be.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when the block is truncated or decodes to more.
 */
export function measureLz4Block(source: Uint8Array, start: number, end: number, limit: number): number {
  let at = start
  let size = 0
  for (;;) {
    if (at >= end) throw formatError(WHAT, 'it is truncated')
    const token = source[at++]!
    let literals = token >> 4
    if (literals === LONG) {
      let more: number
      do {
        if (at >= end) throw formatError(WHAT, 'it is truncated')
        more = source[at++]!
        literals += more
      } while (more === 255)
    }
    at += literals
    size += literals
    if (at >= end) break
    at += 2
    let match = token & 15
    if (match === LONG) {
      let more: number
      do {
        if (at >= end) throw formatError(WHAT, 'it is truncated')
        more = source[at++]!
        match += more
      } while (more === 255)
    }
    size += match + MIN_MATCH
    if (size > limit) break
  }
  if (at > end) throw formatError(WHAT, 'it is truncated')
  if (size > limit) throw formatError(WHAT, `it decodes to more than ${limit} bytes`)
  return size
}

/**
 * Decodes a compressed LZ4 block that {@link measureLz4Block} has passed, into `target` from `offset` on. Matches may
 * reach back to `windowStart` and at most 64 KiB.
 *
 * Source of the format: "LZ4 Block Format Description" of the LZ4 project.
 *
 * @returns Where the decoded bytes end.
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when a match reaches back too far.
 */
export function decodeLz4Block(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
  windowStart: number,
): number {
  let at = start
  let to = offset
  for (;;) {
    const token = source[at++]!
    let literals = token >> 4
    if (literals === LONG) {
      let more: number
      do {
        more = source[at++]!
        literals += more
      } while (more === 255)
    }
    if (literals > 0) {
      const literalsEnd = at + literals
      if (literals >= CALL_MIN_BYTES) {
        target.set(source.subarray(at, literalsEnd), to)
        to += literals
        at = literalsEnd
      } else {
        while (at < literalsEnd) target[to++] = source[at++]!
      }
    }
    if (at >= end) return to
    const distance = source[at]! | (source[at + 1]! << 8)
    at += 2
    let match = token & 15
    if (match === LONG) {
      let more: number
      do {
        more = source[at++]!
        match += more
      } while (more === 255)
    }
    match += MIN_MATCH
    let from = to - distance
    if (distance === 0 || from < windowStart) {
      throw formatError(WHAT, `a match reaches ${distance} bytes back, ${to - windowStart} are there`)
    }
    if (match >= CALL_MIN_BYTES && distance >= match) {
      target.copyWithin(to, from, from + match)
      to += match
    } else {
      for (const matchEnd = to + match; to < matchEnd; ) target[to++] = target[from++]!
    }
  }
}
