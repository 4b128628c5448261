import { describe, expect, it } from 'vitest'
import { csvText } from '../../page/src/data/export.ts'
import { durationText, msOfNs, parseTime, timeText } from '../../page/src/data/time.ts'
import { visible } from '../../page/src/data/visible.ts'
import { complete, offsetOf, placeOf } from '../../page/src/views/sql/completion.ts'

describe('times', () => {
  it.each([
    ['1970-01-01T00:00:00.000000000Z', 0n],
    ['2026-11-26T16:52:38.909374521Z', 1795711958909374521n],
    ['2026-11-26T16:52:38Z', 1795711958000000000n],
  ])('%s is exact to the nanosecond', (text, ns) => {
    expect(parseTime(text)).toBe(ns)
    expect(parseTime(timeText(ns))).toBe(ns)
  })

  it('come out of nanoseconds as milliseconds with what is behind them', () => {
    expect(msOfNs(1_500_001n)).toBeCloseTo(1.500001, 9)
  })

  it('refuse what is none', () => {
    expect(() => parseTime('yesterday')).toThrow(RangeError)
  })
})

it.each([
  [0, '0.00 ns'],
  [1_234, '1.23 µs'],
  [46_798_591, '46.8 ms'],
  [2_000_000_000, '2.00 s'],
  [546e9, '9 min 6 s'],
  [7_260e9, '2 h 1 min'],
  [200_000e9, '2 d 7 h'],
])('%d ns is shown as %s', (ns, text) => {
  expect(durationText(ns)).toBe(text)
})

describe('results as CSV', () => {
  it('quotes what would end a cell, and keeps formulas from being run', () => {
    const rows = [
      { a: 'x,"y"', b: null },
      { a: '=HYPERLINK("x")', b: { k: 'v' } },
      { a: -1.5, b: '-1+1' },
    ]
    expect(csvText(['a', 'b'], rows)).toBe(
      ['a,b', '"x,""y""",', `"'=HYPERLINK(""x"")","{""k"":""v""}"`, "-1.5,'-1+1", ''].join('\r\n'),
    )
  })
})

describe('completion', () => {
  const words = ['log_entries', 'log_stats', 'SELECT', 'process_id', 'id']
  it('offers what begins with the word before the cursor, then what holds it', () => {
    expect(complete('select * from log', 17, words)).toEqual({
      start: 14,
      words: ['log_entries', 'log_stats'],
    })
    expect(complete('select id', 9, [...words])).toEqual({ start: 7, words: ['process_id'] })
  })

  it('offers nothing in a text, nor for one letter', () => {
    expect(complete("where msg = 'log", 16, words)).toBeUndefined()
    expect(complete('l', 1, words)).toBeUndefined()
  })
})

it('finds the place that an error names', () => {
  const sql = 'SELECT 1\nFRM x'
  const place = placeOf('sql parser error: Expected: end of statement, found: FRM at Line: 2, Column: 1')
  expect(place).toEqual({ line: 2, column: 1 })
  expect(sql.slice(offsetOf(sql, place!))).toBe('FRM x')
})

it('spells out characters that turn or hide their neighbours', () => {
  expect(visible('a\u202eb\u0000c\td\u2066é 🎉')).toBe('a\\u202eb\\u0000c d\\u2066é 🎉')
})
