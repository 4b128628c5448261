import { builtin } from '../../model/runtime/builtins.ts'
import { dispatch } from '../dispatch.ts'
import type { OpenAsyncSpan } from '../streams/span-stream.ts'

/**
 * Ids of the W3C trace context, made from those that spans have in this process: the same span has the same ids whoever
 * asks, without a table of them. The specification asks for ids that are random in all their bits, since samplers and
 * stores elsewhere take some of them for a random number: counted ids would be sampled all or none.
 *
 * Each half of an id is a permutation of 64 bits, so that no two spans of the process have the same, keyed by numbers
 * drawn once for the process: a Feistel network of {@link ROUNDS} rounds.
 */
const ROUNDS = 4
/** Which of the keys are those of the high and the low half of trace ids, and of span ids. */
const TRACE_HIGH = 0
const TRACE_LOW = ROUNDS
const SPAN = 2 * ROUNDS

/** Where an id is put together: digits of a buffer take a tenth of the time of `toString(16)`. */
const bytes = Buffer.alloc(16)

/** 32 hexadecimal digits, the same for all spans below one root: those of the trace that the root goes on with, if any. */
export function traceIdOf({ remote, rootSpanId }: OpenAsyncSpan): string {
  if (remote !== undefined) return remote.traceId
  permute(rootSpanId, TRACE_HIGH, 0)
  permute(rootSpanId, TRACE_LOW, 8)
  return bytes.toString('hex')
}

/** 16 hexadecimal digits. */
export function spanIdOf(spanId: number): string {
  permute(spanId, SPAN, 0)
  return bytes.toString('hex', 0, 8)
}

/**
 * Writes the 64 bits that an id becomes.
 *
 * @param id - From 1: what 0 becomes stands in for the zeros that one id would become, which are invalid.
 */
function permute(id: number, firstKey: number, offset: number): void {
  dispatch.traceIdKeys ??= builtin('node:crypto').randomFillSync(new Uint32Array(3 * ROUNDS))
  const keys = dispatch.traceIdKeys
  let left = (id / 2 ** 32) | 0
  let right = id | 0 // keeps the low 32 bits
  for (let key = firstKey; key < firstKey + ROUNDS; key++) {
    const next = left ^ mix(right ^ keys[key]!)
    left = right
    right = next
  }
  if (left === 0 && right === 0) return permute(0, firstKey, offset)
  bytes.writeInt32BE(left, offset)
  bytes.writeInt32BE(right, offset + 4)
}

/** The finalizer of MurmurHash3 (32 bits): each bit of the input changes each bit of the output in half of all cases. */
function mix(bits: number): number {
  let mixed = bits
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
