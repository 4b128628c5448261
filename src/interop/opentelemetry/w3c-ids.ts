import { randomFillSync } from 'node:crypto'
import type { OpenAsyncSpan } from '../../tracing/span-stream.ts'

/**
 * Ids of the W3C trace context, made from those that spans have in this process: the same span has the same ids whoever
 * asks, without a table of them. The specification asks for ids that are random in all their bits, since samplers and
 * stores elsewhere take some of them for a random number: counted ids would be sampled all or none.
 *
 * Each half of an id is a permutation of 64 bits, so that no two spans of the process have the same, keyed by numbers
 * drawn once for the process: a Feistel network of {@link ROUNDS} rounds.
 */
const ROUNDS = 4
const KEYS = randomFillSync(new Uint32Array(3 * ROUNDS))
const TRACE_HIGH_KEYS = KEYS.subarray(0, ROUNDS)
const TRACE_LOW_KEYS = KEYS.subarray(ROUNDS, 2 * ROUNDS)
const SPAN_KEYS = KEYS.subarray(2 * ROUNDS)

/** 32 hexadecimal digits, the same for all spans below one root. */
export function traceIdOf({ rootSpanId }: OpenAsyncSpan): string {
  return permute(rootSpanId, TRACE_HIGH_KEYS) + permute(rootSpanId, TRACE_LOW_KEYS)
}

/** 16 hexadecimal digits. */
export function spanIdOf(spanId: number): string {
  return permute(spanId, SPAN_KEYS)
}

/** @param id - From 1: what 0 becomes stands in for the zeros that one id would become, which are invalid. */
function permute(id: number, keys: Uint32Array): string {
  let left = (id / 2 ** 32) | 0
  let right = id | 0 // keeps the low 32 bits
  for (let round = 0; round < ROUNDS; round++) {
    const next = left ^ mix(right ^ keys[round]!)
    left = right
    right = next
  }
  return left === 0 && right === 0 ? permute(0, keys) : hex(left) + hex(right)
}

/** The finalizer of MurmurHash3 (32 bits): each bit of the input changes each bit of the output in half of all cases. */
function mix(bits: number): number {
  let mixed = bits
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

function hex(bits: number): string {
  return (bits >>> 0).toString(16).padStart(8, '0')
}
