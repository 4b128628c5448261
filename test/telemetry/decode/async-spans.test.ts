import { describe, expect, test } from 'vitest'
import {
  type AsyncSpanEvent,
  pairAsyncSpans,
  readAsyncSpanEvents,
} from '../../../src/telemetry/decode/async-spans.ts'
import { fixedType } from '../../../src/transit/reflection.ts'
import { expectFormatError } from '../../transit/format-errors.ts'
import { type Section, section } from '../../transit/section.ts'
import { CPU_TYPES, objectsOf, strings, TICKS } from '../sample-blocks.ts'

function dependencies(): Section {
  return strings('get', 'app', 'mod', 'a.ts', 'other')
    .u8(1)
    .u64(10, 1, 2, 3, 4)
    .u32(42)
    .u32(3)
    .u8(2)
    .u64(20, 2, 3, 4)
    .u32(7)
    .u32(3)
    .dynamic(3, section().u64(30).u32(1).u64(1, 5))
}

function read(objects: Section): AsyncSpanEvent[] {
  return [...readAsyncSpanEvents(objectsOf(CPU_TYPES, dependencies(), objects), TICKS)]
}

const PLACE = { name: 'get', target: 'app', filename: 'a.ts', line: 42 }
const SPAN = { parentSpanId: 1n, depth: 1, ...PLACE, properties: {} }

test('async events are read with ids, depth and place, named ones with the name of the event', () => {
  const objects = section()
    .u8(4)
    .u64(10, 2, 1, 100)
    .u32(1)
    .u8(5)
    .u64(10, 2, 1, 200)
    .u32(1)
    .u8(6)
    .u64(20, 5, 3, 1, 300)
    .u32(1)
    .u8(7)
    .u64(20, 5, 3, 1, 400)
    .u32(1)
  const plain = { spanId: 2n, ...SPAN }
  const named = { spanId: 3n, ...SPAN, name: 'other', line: 7 }
  expect(read(objects)).toEqual([
    { phase: 'begin', timeNs: 100n, ...plain },
    { phase: 'end', timeNs: 200n, ...plain },
    { phase: 'begin', timeNs: 300n, ...named },
    { phase: 'end', timeNs: 400n, ...named },
  ])
})

test('events with names made at run time are read as the named ones', () => {
  const objects = section().u8(10).u64(20, 5, 3, 1, 300).u32(1).u8(11).u64(20, 5, 3, 1, 400).u32(1)
  const named = { spanId: 3n, ...SPAN, name: 'other', line: 7 }
  expect(read(objects)).toEqual([
    { phase: 'begin', timeNs: 300n, ...named },
    { phase: 'end', timeNs: 400n, ...named },
  ])
})

test('tagged ends bring properties', () => {
  const objects = section().u8(14).u64(10, 30, 2, 1, 200).u32(1).u8(15).u64(20, 5, 30, 3, 1, 400).u32(1)
  const properties = { get: 'other' }
  expect(read(objects)).toEqual([
    { phase: 'end', timeNs: 200n, spanId: 2n, ...SPAN, properties },
    { phase: 'end', timeNs: 400n, spanId: 3n, ...SPAN, name: 'other', line: 7, properties },
  ])
})

test('ids are shown as signed integers', () => {
  expect(
    read(
      section()
        .u8(4)
        .u64(10, 2n ** 64n - 1n, 2n ** 63n, 1)
        .u32(0),
    )[0],
  ).toMatchObject({
    spanId: -1n,
    parentSpanId: -(2n ** 63n),
  })
})

test('sync span events are passed over, unknown ones are reported', () => {
  const types = {
    ...CPU_TYPES,
    objectsMetadata: [...CPU_TYPES.objectsMetadata, fixedType('Odd', { v: 'u8' })],
  }
  const unknown: [string, number][] = []
  const odd = types.objectsMetadata.length - 1
  const objects = section().u8(0).u64(10, 1).u8(odd, 0).u8(1).u64(10, 2)
  const events = readAsyncSpanEvents(objectsOf(types, dependencies(), objects), TICKS, {
    onUnknown: (name, index) => unknown.push([name, index]),
  })
  expect([...events]).toEqual([])
  expect(unknown).toEqual([['Odd', 1]])
})

test('an event whose descriptor is no record is refused', () => {
  expectFormatError(
    () => read(section().u8(4).u64(1, 2, 1, 100).u32(1)),
    /member span_desc of BeginAsyncSpanEvent as a record/,
  )
})

describe('pairing', () => {
  const event = (phase: 'begin' | 'end', spanId: number, timeNs: number): AsyncSpanEvent => ({
    phase,
    timeNs: BigInt(timeNs),
    spanId: BigInt(spanId),
    parentSpanId: 0n,
    depth: 0,
    ...PLACE,
    properties: phase === 'end' ? { end: String(timeNs) } : {},
  })

  test('matches begins and ends by id alone, wherever and in whatever order they come; properties are the end’s', () => {
    const row = { parent: 0n, depth: 0, ...PLACE }
    const events = [event('end', 2, 40), event('begin', 1, 10), event('end', 1, 50), event('begin', 2, 20)]
    const { spans, unmatched } = pairAsyncSpans(events)
    expect(spans).toEqual([
      { ...row, id: 1n, beginNs: 10n, endNs: 50n, durationNs: 40n, properties: { end: '50' } },
      { ...row, id: 2n, beginNs: 20n, endNs: 40n, durationNs: 20n, properties: { end: '40' } },
    ])
    expect(unmatched).toEqual([])
  })

  test('leaves events without their other half', () => {
    const events = [event('begin', 1, 10), event('end', 2, 20)]
    expect(pairAsyncSpans(events)).toEqual({ spans: [], unmatched: events })
  })

  test('drops spans that take no time, as queries of spans do, and those that end before they begin', () => {
    expect(pairAsyncSpans([event('begin', 1, 10), event('end', 1, 10)]).spans).toEqual([])
    expect(pairAsyncSpans([event('begin', 1, 10), event('end', 1, 9)]).spans).toEqual([])
    expect(pairAsyncSpans([event('begin', 1, 10), event('end', 1, 11)]).spans).toHaveLength(1)
  })

  test('of ids used twice goes in order of time and cannot multiply rows', () => {
    const events = [event('begin', 1, 10), event('end', 1, 20), event('begin', 1, 30), event('end', 1, 40)]
    expect(pairAsyncSpans(events.reverse()).spans.map((span) => [span.beginNs, span.endNs])).toEqual([
      [10n, 20n],
      [30n, 40n],
    ])
    const many = Array.from({ length: 200_000 }, (_, i) => event(i % 2 ? 'begin' : 'end', 1, i))
    const { spans, unmatched } = pairAsyncSpans(many)
    expect(spans.length * 2 + unmatched.length).toBe(200_000)
  })

  test('handles two hundred thousand ends of one id', () => {
    const many = Array.from({ length: 200_000 }, (_, i) => event('end', 1, i))
    expect(pairAsyncSpans(many).unmatched).toHaveLength(200_000)
  })
})
