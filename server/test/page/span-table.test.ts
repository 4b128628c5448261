import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { assignLanes } from '../../page/src/views/timeline/lanes.ts'
import { type SpanRow, SpanTable } from '../../page/src/views/timeline/span-table.ts'
import { panned, tickStep, zoomed } from '../../page/src/views/timeline/viewport.ts'

const row = (id: string, parent: string, b: number, d: number, more: Partial<SpanRow> = {}): SpanRow => ({
  stream_id: '',
  thread_name: 'async',
  id,
  parent,
  depth: 0,
  b,
  d,
  name: `name ${id}`,
  target: 'app',
  ...more,
})

describe('lanes of async spans', () => {
  it('a child lies below its parent, siblings that follow each other on one lane', () => {
    const lanes = assignLanes({
      begin: Float64Array.of(0, 1, 5, 20),
      end: Float64Array.of(10, 4, 9, 30),
      parent: Int32Array.of(-1, 0, 0, -1),
    })
    expect([...lanes]).toEqual([0, 1, 1, 0])
  })

  it('never has two that overlap on one lane', () => {
    const spans = fc.array(fc.record({ b: fc.nat(1000), d: fc.nat(200), parent: fc.nat() }), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(spans, (list) => {
        list.sort((a, b) => a.b - b.b)
        const begin = Float64Array.from(list, ({ b }) => b)
        const end = Float64Array.from(list, ({ b, d }) => b + d)
        const parent = Int32Array.from(list, (span, i) => (i === 0 ? -1 : (span.parent % (i + 1)) - 1))
        const lanes = assignLanes({ begin, end, parent })
        for (let i = 0; i < list.length; i++)
          for (let j = 0; j < i; j++)
            if (lanes[i] === lanes[j]) expect(end[j]!).toBeLessThanOrEqual(begin[i]!)
      }),
    )
  })
})

describe('the spans of a process', () => {
  const table = new SpanTable([
    row('1', '0', 0, 100),
    row('7', '0', 0, 50, { stream_id: 's', thread_name: 'main' }),
    row('2', '1', 10, 30),
    row('8', '7', 5, 10, { stream_id: 's', thread_name: 'main', depth: 1 }),
    row('3', '1', 30, 40),
    row('4', '1', 200, 10),
  ])

  it('are a track for each thread, and one for all async spans after them', () => {
    expect(table.tracks.map(({ label, kind, lanes }) => ({ label, kind, lanes }))).toEqual([
      { label: 'main', kind: 'thread', lanes: 2 },
      { label: 'async spans', kind: 'async', lanes: 3 },
    ])
  })

  it('have as self time what none of their children covers, overlaps once, and nothing after their end', () => {
    expect(table.selfTime(table.find('1', 'async')!)).toBe(100 - 60)
    expect(table.selfTime(table.find('7', 'thread')!)).toBe(40)
    expect(table.selfTime(table.find('3', 'async')!)).toBe(40)
  })

  it('are found by time and lane, the nearest within a tolerance', () => {
    const [, async] = table.tracks
    expect(table.rows[table.at(async!, 0, 50, 0)!]!.id).toBe('1')
    expect(table.at(async!, 0, 150, 10)).toBeUndefined()
    expect(table.rows[table.at(async!, 0, 105, 10)!]!.id).toBe('1')
    expect(table.at(async!, 9, 50, 0)).toBeUndefined()
  })

  it('give a span with all below it, up to a bound', () => {
    const first = table.find('1', 'async')!
    expect(table.family(first, 10).map((i) => table.rows[i]!.id)).toEqual(['1', '2', '3', '4'])
    expect(table.family(first, 2)).toHaveLength(2)
  })

  it('give the longest of a stretch, the longest first', () => {
    const ids = (from: number, to: number, most: number) =>
      table.longest(from, to, most).map((i) => table.rows[i]!.id)
    expect(ids(0, 300, 9)).toEqual(['1', '7', '3', '2', '8', '4'])
    expect(ids(0, 300, 2)).toEqual(['1', '7'])
    expect(ids(60, 220, 9)).toEqual(['1', '3', '4'])
  })

  it('keep the two kinds of a same id apart', () => {
    expect(table.find('7', 'async')).toBeUndefined()
    expect(table.find('2', 'thread')).toBeUndefined()
  })
})

test('a zoom keeps the place it is around, and a pan the length', () => {
  expect(zoomed({ from: 0, to: 100_000 }, 0.5, 0.25)).toEqual({ from: 12_500, to: 62_500 })
  expect(zoomed({ from: 0, to: 1000 }, 0.001, 0.5)).toEqual({ from: 0, to: 1000 })
  expect(panned({ from: 100, to: 200 }, -0.5)).toEqual({ from: 50, to: 150 })
})

test.each([
  [1000, 10, 100],
  [1000, 9, 200],
  [7, 2, 5],
])('about so many round steps fit: %d in %d', (length, count, step) => {
  expect(tickStep(length, count)).toBe(step)
})
