import { expect, test } from 'vitest'
import { BadQuery, QueryParameters } from '../../src/api/query-parameters.ts'

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

const timeOf = (text: string): bigint | undefined => {
  const query = new QueryParameters(new URLSearchParams({ since: text }), NOW_MS)
  const time = query.time('since')
  query.check()
  return time
}

test.each([
  ['-30s', 30],
  ['-5m', 300],
  ['-2h', 7200],
  ['-1d', 86_400],
  ['-0s', 0],
])('%s is a time back from now', (text, seconds) => {
  expect(timeOf(text)).toBe(BigInt(NOW_MS - seconds * 1000) * 1_000_000n)
})

test('a negative number of nanoseconds is a time before 1970, as it was', () => {
  expect(timeOf('-5')).toBe(-5n)
})

test.each(['5m', '-5w', '-m', '-5.5m', '-1234567890m', 'yesterday'])('%s is refused, by its name', (text) => {
  expect(() => timeOf(text)).toThrow(BadQuery)
  expect(() => timeOf(text)).toThrow(/^since: /)
})
