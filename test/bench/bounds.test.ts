import { expect, it } from 'vitest'
import { boundsOf } from '../../bench/check/bounds.ts'

const BASELINE = { log: 2, metric: 1, span: 10, off: 0.1, text: 30 }
const times = (factor: number): Map<string, number> =>
  new Map(Object.entries(BASELINE).map(([id, reads]) => [id, reads * factor]))

it('takes what slows every row down for the pace of the machine', () => {
  const figures = times(1.4).set('span', 21)

  const bounds = boundsOf(figures, BASELINE, 1)

  expect(bounds.pace).toBeCloseTo(1.4)
  expect([...figures.keys()].filter(bounds.isOver)).toEqual([])
})

it('finds the row that has become dearer than the others, on a slow machine too', () => {
  for (const pace of [1, 1.5]) {
    const figures = times(pace).set('span', 10 * pace * 2.1)
    expect([...figures.keys()].filter(boundsOf(figures, BASELINE, 1).isOver)).toEqual(['span'])
  }
})

it('finds all rows when all have become dearer by more than a machine explains', () => {
  const figures = times(1.5)

  const bounds = boundsOf(figures, BASELINE, 0.2)

  expect(bounds.pace).toBeCloseTo(1.2)
  expect([...figures.keys()].filter(bounds.isOver)).toEqual(['log', 'metric', 'span', 'text'])
})

it('asks no more of a fast machine', () => {
  const figures = times(0.5).set('log', 2.3)

  expect([...figures.keys()].filter(boundsOf(figures, BASELINE, 0.2).isOver)).toEqual([])
})

it('names the row that the baseline lacks', () => {
  expect(() => boundsOf(new Map([['new', 1]]), BASELINE, 0.2)).toThrow('the baseline has no new')
})
