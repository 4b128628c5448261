/** Timers take no more milliseconds than these 24.8 days, and fire at once beyond. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1

/**
 * A time as timers and signals take it: whole milliseconds, from 0 to {@link MAX_TIMER_MS}. What is not a number is
 * replaced: for calls that must not throw.
 */
export function toTimerMs(ms: number | undefined, fallbackMs: number): number {
  const given = typeof ms === 'number' && !Number.isNaN(ms) ? ms : fallbackMs
  return Math.min(MAX_TIMER_MS, Math.max(0, Math.ceil(given)))
}

/** A signal that aborts after a time; `AbortSignal.timeout` itself takes whole milliseconds only. */
export function timeoutSignal(ms: number): AbortSignal {
  return AbortSignal.timeout(toTimerMs(ms, 0))
}

/**
 * An option that is a period: as it is, or the longest that a timer takes where it is longer (`Infinity` too).
 *
 * @param action - What cannot be done, `start runtime metrics`.
 * @throws RangeError naming the option, unless it is a number of milliseconds from `minMs`.
 */
export function periodOf(action: string, option: string, value: unknown, minMs: number): number {
  if (typeof value === 'number' && value >= minMs) return Math.min(value, MAX_TIMER_MS)
  throw new RangeError(`Cannot ${action}: ${option} is ${String(value)}, expected ${minMs} or more`)
}
