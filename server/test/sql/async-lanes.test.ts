import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  AsyncLanes,
  type AsyncSpan,
  LANE_BOUNDS,
  OTHER_SPANS,
} from '../../src/sql/views/perfetto/async-lanes.ts'

const span = (id: number, parent: number, begin: number, end: number, name = `span ${id}`): AsyncSpan => ({
  row: id,
  id: BigInt(id),
  parent: BigInt(parent),
  beginNs: BigInt(begin),
  endNs: BigInt(end),
  name,
})

test('a child lies on its parent’s lane; one that overlaps its sibling, or outlives its parent, on another of the same root', () => {
  const lanes = new AsyncLanes()
  const place = (item: AsyncSpan): string => {
    const { lane, arrowFrom } = lanes.laneOf(item)
    return `${lane.number} ${lane.name}${arrowFrom === undefined ? '' : ` from ${arrowFrom}`}`
  }
  expect(place(span(1, 0, 0, 100, 'request'))).toBe('0 request')
  expect(place(span(2, 1, 10, 40))).toBe('0 request')
  expect(place(span(3, 1, 20, 50))).toBe('1 request from 1')
  expect(place(span(4, 3, 25, 30))).toBe('1 request')
  expect(place(span(5, 1, 60, 120))).toBe('1 request from 1')
  expect(place(span(6, 0, 70, 80, 'other'))).toBe('2 other')
  expect(place(span(7, 0, 200, 300, 'request'))).toBe('0 request')
})

test('a log lies within its span where nothing else is open there, else beside it with an arrow', () => {
  const lanes = new AsyncLanes()
  lanes.laneOf(span(1, 0, 0, 100, 'request'))
  lanes.laneOf(span(2, 1, 10, 40))
  const place = (parent: number, time: number): unknown => {
    const placed = lanes.laneOfLog({ parent: BigInt(parent), timeNs: BigInt(time) })
    return placed && [placed.lane.number, placed.lane.name, placed.arrowFrom]
  }
  expect(place(2, 20)).toEqual([0, 'request', undefined])
  expect(place(1, 20)).toEqual([1, 'request', 1])
  expect(place(1, 40)).toEqual([0, 'request', undefined])
  expect(place(3, 40)).toBeUndefined()
})

test('names, arrows and ended spans beyond the bounds are counted', () => {
  const lanes = new AsyncLanes({ known: 4, names: 2, arrows: 1 })
  const place = (item: AsyncSpan): unknown => {
    const { lane, arrowFrom } = lanes.laneOf(item)
    return [lane.name, arrowFrom]
  }
  expect(place(span(1, 0, 0, 10, 'a'))).toEqual(['a', undefined])
  expect(place(span(2, 0, 0, 100, 'b'))).toEqual(['b', undefined])
  expect(place(span(3, 0, 0, 100, 'c'))).toEqual([OTHER_SPANS, undefined])
  expect(place(span(4, 2, 1, 200))).toEqual(['b', 2])
  expect(lanes.lost).toEqual({ arrows: 0, parents: 0, names: 1 })
  expect(place(span(5, 2, 20, 200))).toEqual(['b', undefined])
  expect(lanes.lost).toEqual({ arrows: 1, parents: 0, names: 1 })
  // The first has ended, and is forgotten.
  expect(place(span(6, 1, 30, 40, 'late'))).toEqual([OTHER_SPANS, undefined])
  expect(lanes.lost).toEqual({ arrows: 1, parents: 1, names: 2 })
})

test('no more lanes than spans that are open at once, whatever their number', () => {
  const lanes = new AsyncLanes({ ...LANE_BOUNDS, known: 1000 })
  for (let i = 0; i < 100_000; i++) lanes.laneOf(span(i + 1, 0, i, i + 5000, 'request'))
  expect(lanes.count).toBe(5000)
})

test('replayed as Perfetto does, each span gets its own end', () => {
  const items = fc.array(fc.record({ begin: fc.nat(50), length: fc.nat(20), parent: fc.nat() }), {
    maxLength: 50,
  })
  fc.assert(
    fc.property(items, (list) => {
      const sorted = list.sort((a, b) => a.begin - b.begin || b.length - a.length)
      const spans = sorted.map(({ begin, length, parent }, i) =>
        span(i + 1, parent % (i + 1), begin, begin + length),
      )
      const lanes = new AsyncLanes()
      const events = spans.flatMap((item) => {
        const lane = lanes.laneOf(item).lane.number
        return [
          { lane, time: item.beginNs, begins: item },
          { lane, time: item.endNs, begins: undefined },
        ]
      })
      // Sorting keeps the order of the file for equal times.
      const stacks = new Map<number, AsyncSpan[]>()
      for (const { lane, time, begins } of events.sort((a, b) => Number(a.time - b.time))) {
        const stack = stacks.get(lane) ?? []
        stacks.set(lane, stack)
        if (begins !== undefined) stack.push(begins)
        else expect(stack.pop()?.endNs).toBe(time)
      }
    }),
  )
})
