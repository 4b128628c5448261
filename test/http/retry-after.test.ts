import { expect, test } from 'vitest'
import { parseRetryAfter } from '../../src/http/answer/retry-after.ts'

const NOW = Date.parse('Mon, 23 Nov 2026 12:00:00 GMT')

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
  ['Monday, 23-Nov-26 12:00:30 GMT', 30_000],
  ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
  [undefined, undefined],
  ['', undefined],
  ['-5', undefined],
  ['12.5', undefined],
  ['soon', undefined],
  ['Monday', undefined],
])('Retry-After %j means %j ms', (header, expected) => {
  expect(parseRetryAfter(header, undefined, NOW)).toBe(expected)
})
