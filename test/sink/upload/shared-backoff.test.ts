import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fullJitterMs, SharedBackoff } from '../../../src/sink/upload/shared-backoff.ts'

const policy = { baseDelayMs: 100, maxDelayMs: 30_000 }
const worst = (): number => 1

test('a wait is drawn from zero to a limit that doubles up to the maximum', () => {
  expect([0, 1, 2, 8, 9, 1000].map((failures) => fullJitterMs(policy, failures, worst))).toEqual([
    100, 200, 400, 25_600, 30_000, 30_000,
  ])
  expect(fullJitterMs(policy, 5, () => 0)).toBe(0)
})

test('while the service works nothing waits', () => {
  const backoff = new SharedBackoff(worst)
  const first = backoff.admit()
  backoff.admit()
  backoff.answered(first)
  expect([backoff.waitMs(0), backoff.failures, backoff.probes]).toEqual([0, 0, false])
})

test('failures of attempts that ran together count once', () => {
  const backoff = new SharedBackoff(worst)
  const together = [backoff.admit(), backoff.admit(), backoff.admit()]
  for (const admission of together) backoff.failed(admission, policy, undefined, 1000)
  expect(backoff.failures).toBe(1)
  expect(backoff.waitMs(1000)).toBe(100)
  expect(backoff.waitMs(1100)).toBe(0)
})

test('after the wait there is one probe, and everybody else waits for its result', () => {
  const backoff = new SharedBackoff(worst)
  backoff.failed(backoff.admit(), policy, undefined, 0)
  const probe = backoff.admit()
  expect(probe.probe).toBe(true)
  expect(backoff.waitMs(10_000)).toBe(Number.POSITIVE_INFINITY)
  backoff.failed(probe, policy, undefined, 10_000)
  expect(backoff.waitMs(10_000)).toBe(200)
  const second = backoff.admit()
  backoff.answered(second)
  expect([backoff.waitMs(10_000), backoff.failures]).toEqual([0, 0])
})

test('an attempt that began before the outage does not end it', () => {
  const backoff = new SharedBackoff(worst)
  const slow = backoff.admit()
  backoff.failed(backoff.admit(), policy, undefined, 0)
  backoff.answered(slow)
  expect(backoff.waitMs(0)).toBe(100)
})

test('a probe that says nothing makes room for another', () => {
  const backoff = new SharedBackoff(worst)
  backoff.failed(backoff.admit(), policy, undefined, 0)
  backoff.inconclusive(backoff.admit())
  expect(backoff.waitMs(200)).toBe(0)
  expect(backoff.failures).toBe(1)
})

test('what the service asks for wins over the jitter, also from an attempt that ran along', () => {
  const backoff = new SharedBackoff(() => 0)
  const [first, second] = [backoff.admit(), backoff.admit()]
  backoff.failed(first, policy, undefined, 0)
  expect(backoff.waitMs(0)).toBe(0)
  backoff.failed(second, policy, 5_000, 0)
  expect(backoff.waitMs(0)).toBe(5_000)
  expect(backoff.failures).toBe(1)
})

test('a nudge cuts our own wait, but not one that was asked for; hurry cuts both', () => {
  const backoff = new SharedBackoff(worst)
  backoff.failed(backoff.admit(), { baseDelayMs: 20_000, maxDelayMs: 20_000 }, undefined, 0)
  backoff.nudge(1_000)
  expect(backoff.waitMs(0)).toBe(1_000)
  backoff.failed(backoff.admit(), policy, 60_000, 1_000)
  backoff.nudge(1_000)
  expect(backoff.waitMs(1_000)).toBeGreaterThanOrEqual(60_000)
  backoff.hurry()
  expect(backoff.waitMs(1_000)).toBe(0)
})

test('a pause is drawn evenly from its base to its maximum', () => {
  const waits = [0, 0.5, 1].map((random) => {
    const backoff = new SharedBackoff(() => random)
    backoff.paused(backoff.admit(), { baseDelayMs: 30_000, maxDelayMs: 60_000 }, 0)
    return backoff.waitMs(0)
  })
  expect(waits).toEqual([30_000, 45_000, 60_000])
})

test('whatever the order of results, one probe at most is under way and no wait exceeds its limit', () => {
  const step = fc.record({
    verdict: fc.constantFrom('answered', 'failed', 'inconclusive'),
    which: fc.nat(),
    after: fc.nat(50_000),
  })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (steps, randoms) => {
        const backoff = new SharedBackoff(() => randoms.next().value)
        const running: ReturnType<SharedBackoff['admit']>[] = []
        let now = 0
        for (const { verdict, which, after } of steps) {
          while (running.length < 3 && backoff.waitMs(now) === 0) running.push(backoff.admit())
          const current = running.filter((admission) => admission.probe)
          if (backoff.waitMs(now) === Number.POSITIVE_INFINITY) expect(current.length).toBeGreaterThan(0)
          now += after
          if (running.length === 0) {
            expect(backoff.waitMs(now)).toBeLessThanOrEqual(30_000)
            now += backoff.waitMs(now)
            continue
          }
          const [admission] = running.splice(which % running.length, 1)
          if (verdict === 'failed') backoff.failed(admission!, policy, undefined, now)
          else backoff[verdict as 'answered' | 'inconclusive'](admission!)
        }
      },
    ),
  )
})
