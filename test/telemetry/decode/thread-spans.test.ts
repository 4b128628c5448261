import { describe, expect, test } from 'vitest'
import type { SpanRow } from '../../../src/telemetry/decode/span-place.ts'
import { rebuildThreadSpans, type ThreadSpanBlock } from '../../../src/telemetry/decode/thread-spans.ts'
import { TickConverter } from '../../../src/telemetry/decode/tick-converter.ts'
import { expectFormatError } from '../../transit/format-errors.ts'
import { type Section, section } from '../../transit/section.ts'
import { CPU_TYPES, objectsOf, strings, TICKS } from '../sample-blocks.ts'

const NAMES = ['main', 'app', 'mod', 'a.ts', 'work', 'step']

/**
 * Strings 1 to 6; span records 11 `main`, 15 `work`, 16 `step`, all at a.ts:42 of app; the location 20 at a.ts:7; the
 * property set 30.
 */
function dependencies(): Section {
  const out = strings(...NAMES)
  for (const name of [1, 5, 6])
    out
      .u8(1)
      .u64(10 + name, name, 2, 3, 4)
      .u32(42)
      .u32(3)
  return out.u8(2).u64(20, 2, 3, 4).u32(7).u32(3).dynamic(3, section().u64(30).u32(1).u64(5, 6))
}

const MAIN = 11
const WORK = 15
const STEP = 16

type Events = readonly (readonly ['+' | '-', desc: number, time: number])[]

let nextId = 0
function block(beginTicks: number, endTicks: number, offset: number, events: Events): ThreadSpanBlock {
  const objects = section()
  for (const [phase, desc, time] of events) objects.u8(phase === '+' ? 0 : 1).u64(desc, time)
  return custom(beginTicks, endTicks, offset, objects)
}

function custom(beginTicks: number, endTicks: number, offset: number, objects: Section): ThreadSpanBlock {
  return {
    blockId: `block-${nextId++}`,
    beginTicks: BigInt(beginTicks),
    endTicks: BigInt(endTicks),
    objectOffset: BigInt(offset),
    objects: objectsOf(CPU_TYPES, dependencies(), objects),
  }
}

function rebuild(...blocks: ThreadSpanBlock[]): SpanRow[] {
  return rebuildThreadSpans(blocks, TICKS, 'thread')
}

/** One line a row: depth as indentation, name, id, parent, begin and end. */
function outline(rows: readonly SpanRow[]): string[] {
  return rows.map(
    (row) => `${'.'.repeat(row.depth)}${row.name} ${row.id}<${row.parent} ${row.beginNs}-${row.endNs}`,
  )
}

test('nested begins and ends become rows under the row of the thread', () => {
  const events: Events = [
    ['+', MAIN, 10],
    ['+', WORK, 20],
    ['-', WORK, 30],
    ['+', STEP, 40],
    ['-', STEP, 50],
    ['-', MAIN, 60],
  ]
  expect(outline(rebuild(block(0, 100, 0, events)))).toEqual([
    'thread -1<0 0-100',
    '.main 0<-1 10-60',
    '..work 1<0 20-30',
    '..step 3<0 40-50',
  ])
})

test('rows say what was measured, where, and for how long', () => {
  const [root, main] = rebuild(
    block(0, 100, 7, [
      ['+', MAIN, 10],
      ['-', MAIN, 60],
    ]),
  )
  expect(root).toEqual({
    id: -1n,
    parent: 0n,
    depth: 0,
    beginNs: 0n,
    endNs: 100n,
    durationNs: 100n,
    name: 'thread',
    target: '',
    filename: '',
    line: 0,
    properties: {},
  })
  expect(main).toEqual({
    id: 7n,
    parent: -1n,
    depth: 1,
    beginNs: 10n,
    endNs: 60n,
    durationNs: 50n,
    name: 'main',
    target: 'app',
    filename: 'a.ts',
    line: 42,
    properties: {},
  })
})

test('named spans take the name from the event and the place from the location', () => {
  const objects = section().u8(2).u64(20, 5, 10).u8(3).u64(20, 5, 20)
  const [, row] = rebuild(custom(0, 100, 0, objects))
  expect(row).toMatchObject({ name: 'work', target: 'app', filename: 'a.ts', line: 7, durationNs: 10n })
})

test('spans with names made at run time are read as the named ones', () => {
  const objects = section().u8(8).u64(20, 5, 10).u8(9).u64(20, 5, 20)
  const [, row] = rebuild(custom(0, 100, 0, objects))
  expect(row).toMatchObject({ name: 'work', target: 'app', filename: 'a.ts', line: 7, durationNs: 10n })
})

describe('properties', () => {
  const properties = { work: 'step' }

  test('come with the end of a span, and stay with that span', () => {
    // main( work( ) step( ), the last two ending with properties: one by descriptor, one by name
    const objects = section().u8(0).u64(MAIN, 10).u8(0).u64(WORK, 20).u8(12).u64(WORK, 30, 30)
    objects.u8(2).u64(20, 6, 40).u8(13).u64(20, 6, 30, 50).u8(1).u64(MAIN, 60)
    expect(rebuild(custom(0, 100, 0, objects))).toMatchObject([
      { name: 'thread', properties: {} },
      { name: 'main', endNs: 60n, properties: {} },
      { name: 'work', endNs: 30n, properties },
      { name: 'step', endNs: 50n, properties },
    ])
  })

  test('are there when the begin is not, and are not there when the end is not', () => {
    const objects = section().u8(12).u64(WORK, 30, 10).u8(0).u64(MAIN, 20)
    expect(rebuild(custom(0, 100, 0, objects))).toMatchObject([
      { name: 'thread', properties: {} },
      { name: 'work', beginNs: 0n, endNs: 10n, properties },
      { name: 'main', beginNs: 20n, endNs: 100n, properties: {} },
    ])
  })

  test('must be a property set', () => {
    expectFormatError(
      () => rebuild(custom(0, 100, 0, section().u8(12).u64(WORK, MAIN, 10))),
      /member properties of TaggedEndThreadSpanEvent as a property set/,
    )
  })
})

test('async events in between count for the ids and for nothing else', () => {
  const objects = section()
    .u8(4)
    .u64(MAIN, 1, 0, 5)
    .u32(0)
    .u8(0)
    .u64(WORK, 10)
    .u8(5)
    .u64(MAIN, 1, 0, 15)
    .u32(0)
    .u8(1)
    .u64(WORK, 20)
  expect(outline(rebuild(custom(0, 100, 100, objects)))).toEqual(['thread -1<0 0-100', '.work 101<-1 10-20'])
})

describe('blocks', () => {
  test('that touch are one chain: a span may begin in one and end in the next', () => {
    const first = block(0, 100, 0, [
      ['+', MAIN, 10],
      ['+', WORK, 90],
    ])
    const second = block(100, 200, 2, [
      ['-', WORK, 110],
      ['-', MAIN, 150],
    ])
    expect(outline(rebuild(first, second))).toEqual([
      'thread -1<0 0-200',
      '.main 0<-1 10-150',
      '..work 1<0 90-110',
    ])
  })

  test('are put in order by their ticks, whatever order they arrive in', () => {
    const first = block(0, 100, 0, [['+', MAIN, 10]])
    const second = block(100, 200, 1, [['-', MAIN, 150]])
    expect(outline(rebuild(second, first))).toEqual(['thread -1<0 0-200', '.main 0<-1 10-150'])
  })

  test('may begin before the process says it started', () => {
    const start = 1_000_000_000n
    const ticks = new TickConverter({ tscFrequency: 1_000_000_000n, startTicks: start, startTimeMicros: 0n })
    const first = { ...block(0, 50, 0, [['+', MAIN, 999_999_990]]), beginTicks: -20n }
    const second = block(50, 100, 1, [['-', MAIN, 1_000_000_060]])
    expect(outline(rebuildThreadSpans([second, first], ticks, 'thread'))).toEqual([
      'thread -1<0 -20-100',
      '.main 0<-1 -10-60',
    ])
  })

  test('may overlap', () => {
    const first = block(0, 120, 0, [['+', MAIN, 10]])
    const second = block(100, 200, 1, [['-', MAIN, 150]])
    expect(outline(rebuild(first, second))).toEqual(['thread -1<0 0-200', '.main 0<-1 10-150'])
  })

  test('with a gap between them cut a span in two', () => {
    const first = block(0, 100, 0, [['+', MAIN, 10]])
    const second = block(101, 200, 50, [['-', MAIN, 150]])
    expect(outline(rebuild(first, second))).toEqual([
      'thread -1<0 0-100',
      '.main 0<-1 10-100',
      'thread -1<0 101-200',
      '.main 50<-1 101-150',
    ])
  })

  test('without sync spans make no rows', () => {
    expect(rebuild()).toEqual([])
    expect(rebuild(block(0, 100, 0, []))).toEqual([])
    expect(rebuild(custom(0, 100, 0, section().u8(4).u64(MAIN, 1, 0, 5).u32(0)))).toEqual([])
  })
})

describe('a span', () => {
  test('that never ends lasts until the end of the chain', () => {
    expect(
      outline(
        rebuild(
          block(0, 100, 0, [
            ['+', MAIN, 10],
            ['+', WORK, 20],
          ]),
        ),
      ),
    ).toEqual(['thread -1<0 0-100', '.main 0<-1 10-100', '..work 1<0 20-100'])
  })

  test('that ends without a begin lasts from the start of the chain and holds what came before', () => {
    const events: Events = [
      ['+', WORK, 10],
      ['-', WORK, 20],
      ['-', MAIN, 30],
      ['+', STEP, 40],
      ['-', STEP, 50],
    ]
    expect(outline(rebuild(block(0, 100, 0, events)))).toEqual([
      'thread -1<0 0-100',
      '.main 2<-1 0-30',
      '..work 0<2 10-20',
      '.step 3<-1 40-50',
    ])
  })

  test('may last no time at all', () => {
    expect(
      rebuild(
        block(0, 100, 0, [
          ['+', MAIN, 10],
          ['-', MAIN, 10],
        ]),
      )[1],
    ).toMatchObject({ durationNs: 0n })
  })

  test.each([
    ['name', section().u8(0).u64(MAIN, 10).u8(1).u64(WORK, 20), /'work' ends while 'main' is open/],
    ['place', section().u8(2).u64(20, 1, 10).u8(1).u64(MAIN, 20), /'main' ends while 'main' is open/],
  ])('that ends with another %s than the open one is refused', (_what, objects, message) => {
    expectFormatError(() => rebuild(custom(0, 100, 0, objects)), message)
  })

  test('is the same when its descriptor has another id in the next block', () => {
    const other = strings(...NAMES)
      .u8(1)
      .u64(99, 1, 2, 3, 4)
      .u32(42)
      .u32(3)
    const second = {
      ...block(100, 200, 1, []),
      objects: objectsOf(CPU_TYPES, other, section().u8(1).u64(99, 150)),
    }
    expect(outline(rebuild(block(0, 100, 0, [['+', MAIN, 10]]), second))).toEqual([
      'thread -1<0 0-200',
      '.main 0<-1 10-150',
    ])
  })
})

describe('events', () => {
  test('before the chain are passed over; the first after it ends its block', () => {
    const first = block(50, 100, 0, [
      ['+', MAIN, 40],
      ['+', WORK, 60],
      ['-', WORK, 101],
      ['-', WORK, 70],
    ])
    expect(outline(rebuild(first))).toEqual(['thread -1<0 50-100', '.work 1<-1 60-100'])
  })

  test('that run backwards are refused', () => {
    const events: Events = [
      ['+', MAIN, 30],
      ['-', MAIN, 40],
      ['+', MAIN, 10],
      ['-', MAIN, 20],
    ]
    expectFormatError(() => rebuild(block(0, 100, 0, events)), /span 2 begins before span 0/)
  })

  test('of a corrupt block are refused, naming the block', () => {
    const corrupt = custom(0, 100, 0, section().u8(0).u64(12345, 1))
    expectFormatError(() => rebuild(corrupt), new RegExp(`Cannot read block ${corrupt.blockId}`))
  })
})

test('spans nested twenty thousand deep are rebuilt without recursion', () => {
  const objects = section()
  for (let i = 0; i < 20_000; i++) objects.u8(0).u64(MAIN, i)
  const rows = rebuild(custom(0, 40_000, 0, objects))
  expect(rows).toHaveLength(20_001)
  expect(rows.at(-1)).toMatchObject({ depth: 20_000, id: 19_999n, parent: 19_998n })
})
