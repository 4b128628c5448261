import { MAX_TIMER_MS } from '../text/durations.ts'
import { builtin } from './builtins.ts'

/** A call that is to come. */
export interface Timer {
  /** It does not come any more. Once it has come, or is cancelled, this does nothing. */
  cancel(): void
}

/** How a timer is kept. */
export interface TimerOptions {
  /** Whether the process is kept alive until the call. @defaultValue `false` */
  readonly holds?: boolean | undefined
}

/**
 * Time, timers and chance, for all that measures, waits or draws: the one way to them. Tests give another one, whose time
 * they move.
 */
export interface Clock {
  /** Milliseconds of a clock that is never set; only differences mean something. */
  now(): number
  /** The wall clock: milliseconds since the Unix epoch. */
  wallMs(): number
  /** Uniform in [0, 1). */
  random(): number
  /** Calls `fn` once, after `delayMs`; what exceeds {@link MAX_TIMER_MS} counts as that. */
  after(delayMs: number, fn: () => void, options?: TimerOptions): Timer
  /** Calls `fn` every `periodMs` milliseconds. */
  every(periodMs: number, fn: () => void, options?: TimerOptions): Timer
  /** Calls `fn` when the running code and its promises are done; the process is kept alive until then. */
  soon(fn: () => void): void
}

/** What a fake of `@sinonjs/fake-timers` has on it: sinon, jest and vitest stand on that library. */
interface Fake {
  readonly clock?: Readonly<Record<string, unknown>> | undefined
}

/**
 * A function of the platform's, which may be faked already: test runners can fake timers before anything is loaded.
 *
 * @param name - Under which its fake keeps it, after an underscore.
 */
export function original<T extends object>(found: T, name: string): T {
  const kept = (found as Fake).clock?.[`_${name}`]
  return typeof kept === 'function' ? (kept as T) : found
}

const timers = builtin('node:timers')
// Taken once, so that a host whose tests fake its timers later does not stop telemetry; from Node's modules, since test
// runners give code other globals than Node's.
const setTimer = original(timers.setTimeout, 'setTimeout')
const clearTimer = original(timers.clearTimeout, 'clearTimeout')
const setRepeating = original(timers.setInterval, 'setInterval')
const clearRepeating = original(timers.clearInterval, 'clearInterval')
const setSoon = original(timers.setImmediate, 'setImmediate')
const { now: wallMs } = original(globalThis.Date, 'Date')
const { random } = Math
const { bigint: ticks } = original(process.hrtime, 'hrtime')
const now = (): number => Number(ticks()) / 1e6

/** The clock of the platform, as it was when the package was loaded. */
export const platformClock: Clock = {
  now,
  wallMs,
  random,
  after(delayMs, fn, { holds = false } = {}) {
    const timer = setTimer(fn, Math.min(delayMs, MAX_TIMER_MS))
    if (!holds) timer.unref()
    return { cancel: () => clearTimer(timer) }
  },
  every(periodMs, fn, { holds = false } = {}) {
    const timer = setRepeating(fn, Math.min(periodMs, MAX_TIMER_MS))
    if (!holds) timer.unref()
    return { cancel: () => clearRepeating(timer) }
  },
  soon(fn) {
    setSoon(fn)
  },
}

/** Resolves after `delayMs`; with a signal, at the latest when that is aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.after(delayMs, end)
    if (signal?.aborted) end()
    else signal?.addEventListener('abort', end, { once: true })
  })
}
