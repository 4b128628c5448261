import { afterEach, expect, test, vi } from 'vitest'
import type { Clock } from '../../src/model/runtime/clock.ts'
import { platformClock, sleep } from '../../src/model/runtime/clock.ts'
import { MAX_TIMER_MS } from '../../src/model/text/durations.ts'
import { readTicks } from '../../src/tracing/clock.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.resetModules()
})

const EVERYTHING = ['setTimeout', 'setInterval', 'setImmediate', 'Date', 'performance', 'hrtime'] as const

/** Whether the clock's time passes, and its three kinds of timers come. */
async function runs(clock: Clock, ticks: () => bigint): Promise<boolean> {
  const before = { now: clock.now(), wall: clock.wallMs(), ticks: ticks() }
  await new Promise<void>((resolve) => clock.after(5, resolve, { holds: true }))
  await new Promise<void>((resolve) => clock.soon(resolve))
  await new Promise<void>((resolve) => {
    const timer = clock.every(1, () => {
      timer.cancel()
      resolve()
    })
  })
  return clock.now() > before.now && clock.wallMs() > before.wall && ticks() > before.ticks
}

test('the clock goes on under timers that are faked after it was loaded', async () => {
  vi.useFakeTimers({ toFake: [...EVERYTHING], now: 0 })
  expect(Date.now()).toBe(0)
  expect(await runs(platformClock, readTicks)).toBe(true)
  expect(platformClock.wallMs()).toBeGreaterThan(1_700_000_000_000)
})

test('the clock goes on under timers that were faked before it was loaded', async () => {
  vi.useFakeTimers({ toFake: [...EVERYTHING], now: 0 })
  vi.resetModules()
  const late = await import('../../src/model/runtime/clock.ts')
  const { readTicks: lateTicks } = await import('../../src/tracing/clock.ts')
  expect(late.platformClock).not.toBe(platformClock)
  expect(await runs(late.platformClock, lateTicks)).toBe(true)
  expect(late.platformClock.wallMs()).toBeGreaterThan(1_700_000_000_000)
})

test('a time longer than a timer takes is the longest there is, and does not come at once', async () => {
  let came = 0
  const timers = [1, 1e6, Number.POSITIVE_INFINITY].flatMap((more) => [
    platformClock.after(MAX_TIMER_MS + more, () => came++),
    platformClock.every(MAX_TIMER_MS + more, () => came++),
  ])
  await sleep(platformClock, 10)
  expect(came).toBe(0)
  for (const timer of timers) timer.cancel()
})

test('a sleep ends with its time, or with its signal', async () => {
  await sleep(platformClock, 1)
  await sleep(platformClock, MAX_TIMER_MS, AbortSignal.abort())
  const abort = new AbortController()
  const slept = sleep(platformClock, MAX_TIMER_MS, abort.signal)
  abort.abort()
  await slept
})
