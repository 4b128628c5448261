import { randomBytes } from 'node:crypto'
import type { OpenAsyncSpan } from '../../tracing/span-stream.ts'

/**
 * Ids of the W3C trace context, made from those that spans have in this process: the same span has the same ids whoever
 * asks, without a table of them. What is random is drawn once for the process; its first bit is set, so that no id is
 * all zeros, which is invalid.
 */
const RANDOM = randomBytes(24)
const TRACE_PREFIX = hex(RANDOM.readUInt32BE(0) | 0x8000_0000) + hex(RANDOM.readUInt32BE(4))
const TRACE_HIGH = RANDOM.readUInt32BE(8)
const TRACE_LOW = RANDOM.readUInt32BE(12)
const SPAN_HIGH = RANDOM.readUInt32BE(16) | 0x8000_0000
const SPAN_LOW = RANDOM.readUInt32BE(20)
const U32 = 2 ** 32

/** 32 hexadecimal digits, the same for all spans below one root. */
export function traceIdOf({ rootSpanId }: OpenAsyncSpan): string {
  return TRACE_PREFIX + hex((rootSpanId / U32) ^ TRACE_HIGH) + hex(rootSpanId ^ TRACE_LOW)
}

/** 16 hexadecimal digits. */
export function spanIdOf(spanId: number): string {
  return hex((spanId / U32) ^ SPAN_HIGH) + hex(spanId ^ SPAN_LOW) // operators on bits keep the low 32
}

function hex(bits: number): string {
  return (bits >>> 0).toString(16).padStart(8, '0')
}
