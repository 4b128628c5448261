import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AsyncLanes, type AsyncSpan } from '../../src/sql/views/perfetto/async-lanes.ts'

const span = (id: number, parent: number, begin: number, end: number, name = `span ${id}`): AsyncSpan => ({
  id: BigInt(id),
  parent: BigInt(parent),
  beginNs: BigInt(begin),
  endNs: BigInt(end),
  name,
})

test('a child lies on its parent’s lane; one that overlaps its sibling, or outlives its parent, on another of the same root', () => {
  const lanes = new AsyncLanes()
  const place = (item: AsyncSpan): string => {
    const { number, name } = lanes.laneOf(item).lane
    return `${number} ${name}`
  }
  expect(place(span(1, 0, 0, 100, 'request'))).toBe('0 request')
  expect(place(span(2, 1, 10, 40))).toBe('0 request')
  expect(place(span(3, 1, 20, 50))).toBe('1 request')
  expect(place(span(4, 3, 25, 30))).toBe('1 request')
  expect(place(span(5, 1, 60, 120))).toBe('1 request')
  expect(place(span(6, 0, 70, 80, 'other'))).toBe('2 other')
  expect(place(span(7, 0, 200, 300, 'request'))).toBe('0 request')
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
