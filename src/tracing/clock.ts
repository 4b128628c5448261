/**
 * Reads the monotonic clock: integer nanoseconds, the ticks of every event, on one counter for all threads of the
 * process. Taken at load so that fake timers of a host's tests do not reach it.
 *
 * `hrtime.bigint` rather than `performance.now`: the read is a fifth to a third cheaper on Node 20 to 26.
 */
export const readTicks: () => bigint = process.hrtime.bigint

const cell = new BigInt64Array(1)
const halves = new Uint32Array(cell.buffer)
const LOW = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1

/**
 * Writes the time as a 64-bit integer.
 *
 * Into a `BigInt64Array` no compiler boxes the value. `setBigInt64` on a view costs 40 bytes of garbage and half as much
 * time again on Node 20 and 22; on 24 and 26 it would be 2 of 28 nanoseconds faster.
 */
export function writeTicks(view: DataView, offset: number): void {
  cell[0] = readTicks()
  view.setUint32(offset, halves[LOW]!, true)
  view.setUint32(offset + 4, halves[1 - LOW]!, true)
}

/** Ticks per second. */
export const TICK_FREQUENCY = 1_000_000_000n
