import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { MAX_TIMER_MS } from '../../src/model/text/durations.ts'
import { startService } from './support/service.ts'
import { SinkUnderTest } from './support/sink.ts'

/** Node warns of a time that does not fit, and fires the timer at once. */
const overflows: Error[] = []
const onWarning = (warning: Error): void => {
  if (warning.name === 'TimeoutOverflowWarning') overflows.push(warning)
}

beforeEach(() => {
  process.on('warning', onWarning)
})

afterEach(async () => {
  await new Promise(setImmediate)
  process.off('warning', onWarning)
  expect(overflows.splice(0)).toEqual([])
})

const LONGEST = { baseDelayMs: MAX_TIMER_MS, maxDelayMs: MAX_TIMER_MS }

test('a wait that was asked for in addition to the longest one is waited for once', async () => {
  await using service = await startService(() => ({ status: 503, headers: { 'retry-after': '99999999999' } }))
  await using under = new SinkUnderTest(service.url, {
    blocksRetry: LONGEST,
    metadataRetry: LONGEST,
    unauthorizedRetry: LONGEST,
    maxRetryAfterMs: MAX_TIMER_MS,
    requestTimeoutMs: MAX_TIMER_MS,
  })
  under.push()
  const stats = () => under.sink.stats()
  await vi.waitUntil(() => stats().failedAttempts > 0 && stats().inFlightRequests === 0)
  const { attempts } = stats()
  await new Promise((resolve) => setTimeout(resolve, 5)) // a timer whose time does not fit comes after 1 ms
  expect(stats()).toMatchObject({ attempts, pending: { blocks: 1 } })
})

test.each<[string, unknown]>([
  ['Infinity', Number.POSITIVE_INFINITY],
  ['more than timers take', 2 ** 40],
  ['a fraction', 4999.5],
  ['not a number', Number.NaN],
  ['a text', '5000'],
])('a shutdown within %s delivers', async (_, timeoutMs) => {
  await using service = await startService(() => 200)
  await using under = new SinkUnderTest(service.url)
  under.push()
  const report = await under.sink.shutdown({ timeoutMs: timeoutMs as number })
  expect(report).toMatchObject({ delivered: { blocks: 1 }, dropped: { blocks: 0 } })
})
