import { expect, test } from 'vitest'
import { PermanentDecoratorError } from '../../../src/auth/errors.ts'
import { TransportError } from '../../../src/http/answer/http-response.ts'
import { parseRetryAfter } from '../../../src/http/answer/retry-after.ts'
import {
  classifyDecoratorError,
  classifyResponse,
  classifyTransportError,
} from '../../../src/sink/upload/outcome.ts'

const NOW = Date.parse('2026-11-23T12:00:00Z')
const answer = (status: number, retryAfter?: string, date?: string) =>
  classifyResponse({ status, retryAfter, date }, NOW)

test.each([200, 201, 204, 299])('%i is a delivery', (status) => {
  expect(answer(status)).toEqual({ kind: 'delivered' })
})

test.each([408, 425, 429, 502, 503, 504])('%i is tried again and never blamed on the item', (status) => {
  expect(answer(status)).toMatchObject({ kind: 'retry', suspicion: 0 })
})

test.each([500, 501, 505, 599])('%i is tried again and may be the fault of the item', (status) => {
  expect(answer(status)).toMatchObject({ kind: 'retry', suspicion: 1 })
})

test.each([300, 301, 302, 307, 308, 399])(
  'the redirect %i is not followed, and its data is kept',
  (status) => {
    expect(answer(status)).toMatchObject({
      kind: 'retry',
      suspicion: 0,
      detail: expect.stringContaining('not followed'),
    })
  },
)

test.each([400, 402, 403, 404, 405, 409, 410, 415, 422, 431, 451, 499])('%i is final', (status) => {
  expect(answer(status)).toMatchObject({ kind: 'drop', reason: 'refused' })
})

test('407 is of a proxy, whose credentials somebody may mend', () => {
  expect(answer(407)).toMatchObject({ kind: 'retry', suspicion: 0, detail: 'the proxy answers 407' })
})

test('413 is final and counted apart, and 401 is about the credentials', () => {
  expect(answer(413)).toMatchObject({ kind: 'drop', reason: 'too_large' })
  expect(answer(401)).toMatchObject({ kind: 'unauthorized' })
})

test.each([
  ['7', undefined, 7_000],
  [' 0 ', undefined, 0],
  ['Mon, 23 Nov 2026 12:00:30 GMT', undefined, 30_000],
  ['Mon, 23 Nov 2026 11:00:00 GMT', undefined, 0],
  ['Monday, 23-Nov-26 12:00:05 GMT', undefined, 5_000],
  ['Mon, 23 Nov 2026 12:00:30 GMT', 'Mon, 23 Nov 2026 12:00:20 GMT', 10_000],
  ['Mon, 23 Nov 2020 00:00:30 GMT', 'Mon, 23 Nov 2020 00:00:20 GMT', 10_000],
  ['Mon, 23 Nov 2026 12:00:30 GMT', 'rubbish', 30_000],
  ['soon', undefined, undefined],
  ['-5', undefined, undefined],
  ['1.5', undefined, undefined],
  ['Mon, 99 Foo', undefined, undefined],
  ['', undefined, undefined],
])('Retry-After "%s" with Date "%s" asks for %s ms', (value, date, expected) => {
  expect(parseRetryAfter(value, date, NOW)).toBe(expected)
  expect(answer(503, value, date)).toMatchObject({ retryAfterMs: expected })
})

test('a request that got no answer is tried again, and blamed on the item only once it was sent', () => {
  expect(classifyTransportError(new TransportError('ECONNREFUSED', { sent: false }))).toEqual({
    kind: 'retry',
    detail: 'ECONNREFUSED',
    retryAfterMs: undefined,
    suspicion: 0,
  })
  expect(classifyTransportError(new TransportError('ECONNRESET', { sent: true }))).toMatchObject({
    suspicion: 0.5,
  })
})

test('a failing decorator is passing trouble unless it says that it is permanent', () => {
  expect(classifyDecoratorError(new Error('no token'))).toMatchObject({
    kind: 'retry',
    retryAfterMs: undefined,
  })
  expect(classifyDecoratorError('text')).toMatchObject({ kind: 'retry', detail: 'text' })
  expect(classifyDecoratorError(new PermanentDecoratorError('never'))).toMatchObject({
    kind: 'drop',
    reason: 'credentials',
  })
})

test.each([
  [1500, 1500],
  [0, 0],
  [-1, undefined],
  [Number.NaN, undefined],
  ['5', undefined],
])('retryAfterMs %s of a decorator error is understood as %s', (given, expected) => {
  expect(classifyDecoratorError(Object.assign(new Error('later'), { retryAfterMs: given }))).toMatchObject({
    retryAfterMs: expected,
  })
})
