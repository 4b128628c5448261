import { expect, test } from 'vitest'
import { formatNanoseconds, resolveRange, type Time, toNanoseconds } from '../../src/query/time.ts'

const NOW = 1_795_649_908_000_000_000n // 2026-11-25T23:38:28Z

test.each<[Time, bigint]>([
  ['2026-11-25T23:38:28Z', NOW],
  ['2026-11-25t23:38:28z', NOW],
  ['2026-11-25 23:38:28Z', NOW],
  ['2026-11-26T01:08:28+01:30', NOW],
  ['2026-11-25T18:38:28-05:00', NOW],
  ['2026-11-25T23:38:28.123456789Z', NOW + 123_456_789n],
  ['2026-11-25T23:38:28.5Z', NOW + 500_000_000n],
  ['2016-12-31T23:59:60Z', 1_483_228_800_000_000_000n],
  ['1969-12-31T23:59:59.999999999Z', -1n],
  ['1700-03-01T00:00:00Z', -8_515_238_400_000_000_000n],
  [new Date('2026-11-25T23:38:28.092Z'), NOW + 92_000_000n],
  [NOW + 1n, NOW + 1n],
  ['90s', NOW - 90_000_000_000n],
  ['15m', NOW - 900_000_000_000n],
  ['1h', NOW - 3_600_000_000_000n],
  ['7d', NOW - 604_800_000_000_000n],
  ['2w', NOW - 1_209_600_000_000_000n],
  ['0s', NOW],
])('%s is a time', (time, nanoseconds) => {
  expect(toNanoseconds(time, 'the time', NOW)).toBe(nanoseconds)
})

test.each([
  '',
  'yesterday',
  '1hour',
  '1 h',
  '-1h',
  '1.5h',
  '1H',
  'h',
  '2026-11-25',
  '2026-11-25T23:38:28', // of which zone?
  '2026-11-25T23:38Z',
  '2026-02-30T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-11-25T24:00:00Z',
  '2026-11-25T23:60:00Z',
  '2026-11-25T23:38:61Z',
  '2026-11-25T23:38:28.1234567890Z',
  ' 1h',
  new Date(Number.NaN),
  1_795_649_908_000 as never,
  null as never,
])('%s is not a time', (time) => {
  expect(() => toNanoseconds(time, 'the begin')).toThrow(TypeError)
  expect(() => toNanoseconds(time, 'the begin')).toThrow(/^Cannot use the begin: /)
})

test.each<Time>([
  '9999999999d',
  '1600-01-01T00:00:00Z',
  '2300-01-01T00:00:00Z',
  2n ** 63n,
  -(2n ** 63n) - 1n,
  new Date(8.64e15),
])('%s is beyond what servers hold', (time) => {
  expect(() => toNanoseconds(time)).toThrow(RangeError)
})

test.each<[bigint, string]>([
  [NOW, '2026-11-25T23:38:28Z'],
  [NOW + 500_000_000n, '2026-11-25T23:38:28.500Z'],
  [NOW + 1_000n, '2026-11-25T23:38:28.000001Z'],
  [NOW + 1n, '2026-11-25T23:38:28.000000001Z'],
  [-1n, '1969-12-31T23:59:59.999999999Z'],
  [2n ** 63n - 1n, '2262-04-11T23:47:16.854775807Z'],
  [-(2n ** 63n), '1677-09-21T00:12:43.145224192Z'],
])('%s is written with as few digits as hold it, and read back', (nanoseconds, text) => {
  expect(formatNanoseconds(nanoseconds)).toBe(text)
  expect(toNanoseconds(text)).toBe(nanoseconds)
})

test('a range has two ends: the end is now when it is not given', () => {
  expect(resolveRange({})).toBeUndefined()
  const range = resolveRange({ begin: '1h' })!
  expect(range.end - range.begin).toBe(3_600_000_000_000n)
  const day = resolveRange({ range: { begin: '2d', end: '1d' } })!
  expect(day.end - day.begin).toBe(86_400_000_000_000n)
  expect(resolveRange({ begin: NOW, end: NOW })).toEqual({ begin: NOW, end: NOW })
})

test('an end without a begin, both ways of saying it, and a range that ends first are refused', () => {
  expect(() => resolveRange({ end: '1h' })).toThrow('Cannot use the time range: it has an end and no begin')
  expect(() => resolveRange({ begin: '1h', range: { begin: '1h' } })).toThrow(TypeError)
  expect(() => resolveRange({ begin: '1h', end: '2h' })).toThrow(RangeError)
})
