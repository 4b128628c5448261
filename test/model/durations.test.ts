import { describe, expect, test } from 'vitest'
import { MAX_TIMER_MS, periodOf, timeoutSignal, toTimerMs } from '../../src/model/text/durations.ts'

describe('a time that a timer takes', () => {
  test.each<[unknown, number]>([
    [0, 0],
    [1, 1],
    [1500.2, 1501],
    [2009.9999999999998, 2010],
    [MAX_TIMER_MS, MAX_TIMER_MS],
    [MAX_TIMER_MS + 1, MAX_TIMER_MS],
    [Number.POSITIVE_INFINITY, MAX_TIMER_MS],
    [-1, 0],
    [Number.NEGATIVE_INFINITY, 0],
    [Number.NaN, 70],
    [undefined, 70],
    [null, 70],
    ['5000', 70],
  ])('of %s is %i', (given, expected) => {
    expect(toTimerMs(given as number, 70)).toBe(expected)
  })

  test('makes a signal, whatever it is', async () => {
    for (const ms of [1500.5, Number.POSITIVE_INFINITY, 2 ** 31])
      expect(timeoutSignal(ms).aborted).toBe(false)
    const signal = timeoutSignal(0.5)
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  })
})

describe('a period', () => {
  test.each([
    [100, 100],
    [100.5, 100.5],
    [MAX_TIMER_MS + 1, MAX_TIMER_MS],
    [Number.POSITIVE_INFINITY, MAX_TIMER_MS],
  ])('of %d ms is one of %d', (value, expected) => {
    expect(periodOf('do it', 'everyMs', value, 100)).toBe(expected)
  })

  test.each([99.9, 0, -1, Number.NaN, '500', null])('of %s is refused', (value) => {
    expect(() => periodOf('do it', 'everyMs', value, 100)).toThrow(
      new RangeError(`Cannot do it: everyMs is ${value}, expected 100 or more`),
    )
  })
})
