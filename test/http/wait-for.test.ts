import { expect, test } from 'vitest'
import { waitFor } from '../../src/http/wait-for.ts'
import { rejection } from '../auth/support/requests.ts'

test('a wait gives what the promise gives', async () => {
  const abort = new AbortController()
  expect(await waitFor(Promise.resolve(7), abort.signal)).toBe(7)
  const failure = new Error('failed')
  expect(await rejection(waitFor(Promise.reject(failure), abort.signal))).toBe(failure)
})

test('a wait that was over before it began gives the reason, and a later failure of the promise is handled', async () => {
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', note)
  try {
    const reason = new Error('over')
    expect(await rejection(waitFor(Promise.reject(new Error('later')), AbortSignal.abort(reason)))).toBe(
      reason,
    )
    await new Promise((resolve) => setImmediate(resolve))
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', note)
  }
})
