import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pairAsyncSpans, readAsyncSpanEvents } from '../../../src/telemetry/decode/async-spans.ts'
import { decodeBlock, decodeProcess, decodeStream } from '../../../src/telemetry/decode/decoder.ts'
import { EVENT_READERS } from '../../../src/telemetry/decode/event-readers.ts'
import { readImages } from '../../../src/telemetry/decode/images.ts'
import { readLogEntries } from '../../../src/telemetry/decode/log-entries.ts'
import { readMeasures } from '../../../src/telemetry/decode/measures.ts'
import { rebuildThreadSpans } from '../../../src/telemetry/decode/thread-spans.ts'
import { createTelemetryEncoder } from '../../../src/telemetry/encoder.ts'
import { decompressFrame } from '../../../src/telemetry/lz4/lz4-frame.ts'
import { BlockParser, type RecordTypes } from '../../../src/transit/parser.ts'
import { dynamicType, type Member, type UserDefinedType } from '../../../src/transit/reflection.ts'
import type { TransitObject } from '../../../src/transit/value.ts'
import { MUTATION_SCALE } from '../../support/mutation-scale.ts'
import { ignoreFormatErrors } from '../../transit/format-errors.ts'
import { hex, section } from '../../transit/section.ts'
import { CPU_TYPES, LOG_TYPES, strings, TICKS } from '../sample-blocks.ts'
import {
  IMAGE_OBJECTS,
  IMAGE_TYPES,
  LOG_BLOCK,
  LOG_DEPENDENCIES,
  LOG_OBJECTS,
  LOG_STREAM,
  METRICS_DEPENDENCIES,
  METRICS_OBJECTS,
  METRICS_TYPES,
  MORE_LOG_DEPENDENCIES,
  MORE_LOG_OBJECTS,
  PROCESS,
} from '../worked-examples.ts'

/**
 * Processor time, which stands still while others run. A run over a few hundred bytes takes less than a millisecond; a loop
 * that explodes takes longer than this on any machine.
 */
const MAX_MICROSECONDS = 5_000_000

interface Sample {
  readonly types: RecordTypes
  readonly dependencies: Buffer
  readonly objects: Buffer
}

const SPAN_DEPENDENCIES = strings('main', 'app', 'mod', 'a.ts')
  .u8(1)
  .u64(10, 1, 2, 3, 4)
  .u32(1)
  .u32(2)
  .u8(2)
  .u64(20, 2, 3, 4)
  .u32(1)
  .u32(2)
  .dynamic(3, section().u64(30).u32(1).u64(1, 2))
const SPAN_OBJECTS = section()
  .u8(0)
  .u64(10, 5)
  .u8(2)
  .u64(20, 1, 6)
  .u8(3)
  .u64(20, 1, 7)
  .u8(4)
  .u64(10, 1, 0, 8)
  .u32(0)
  .u8(5)
  .u64(10, 1, 0, 9)
  .u32(0)
  .u8(1)
  .u64(10, 10)
  .u8(0)
  .u64(10, 11)
  .u8(12)
  .u64(10, 30, 12)
  .u8(15)
  .u64(20, 1, 30, 1, 0, 13)
  .u32(0)
/** A template, of which the worked examples have none. */
const TEMPLATE_OBJECTS = section().u8(12).u64(4, 7, 5_000_003_003).done()

const SAMPLES: readonly Sample[] = [
  {
    types: LOG_TYPES,
    dependencies: Buffer.concat([LOG_DEPENDENCIES, MORE_LOG_DEPENDENCIES]),
    objects: Buffer.concat([LOG_OBJECTS, MORE_LOG_OBJECTS, TEMPLATE_OBJECTS]),
  },
  { types: METRICS_TYPES, dependencies: METRICS_DEPENDENCIES, objects: METRICS_OBJECTS },
  { types: CPU_TYPES, dependencies: SPAN_DEPENDENCIES.done(), objects: SPAN_OBJECTS.done() },
  { types: IMAGE_TYPES, dependencies: Buffer.alloc(0), objects: IMAGE_OBJECTS },
]

/** Reads a block in every way there is. */
function readAll({ types, dependencies, objects }: Sample): void {
  const before = process.cpuUsage()
  const parser = new BlockParser(types, EVENT_READERS)
  const events = (): Iterable<TransitObject> => parser.parse(dependencies, objects)
  const reads = [
    () => [...events()].map((event) => [...event.members]),
    () => [...readLogEntries(events(), TICKS)],
    () => [...readMeasures(events(), TICKS)],
    () => [...readImages(events(), TICKS)],
    () => pairAsyncSpans(readAsyncSpanEvents(events(), TICKS)),
    () =>
      rebuildThreadSpans(
        [{ blockId: 'b', beginTicks: 0n, endTicks: 100n, objectOffset: 0n, objects: events() }],
        TICKS,
        'thread',
      ),
  ]
  for (const read of reads) ignoreFormatErrors(read)
  expect(process.cpuUsage(before).user).toBeLessThan(MAX_MICROSECONDS)
}

const changes = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff))), {
  maxLength: 5,
})
function changed(bytes: Buffer, list: readonly (readonly [number, number])[]): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length > 0) for (const [at, value] of list) copy[at % copy.length] = value
  return copy
}

test('the samples are valid', () => {
  for (const { types, dependencies, objects } of SAMPLES) {
    expect([...new BlockParser(types, EVENT_READERS).parse(dependencies, objects)].length).toBeGreaterThan(0)
  }
})

describe('blocks with changed bytes', () => {
  test('throw nothing but format errors, in bounded time', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SAMPLES),
        changes,
        changes,
        fc.nat(40),
        fc.nat(40),
        (sample, a, b, cutA, cutB) => {
          const dependencies = changed(sample.dependencies, a)
          const objects = changed(sample.objects, b)
          readAll({
            types: sample.types,
            dependencies: dependencies.subarray(0, Math.max(0, dependencies.length - (cutA < 30 ? 0 : cutA))),
            objects: objects.subarray(0, Math.max(0, objects.length - (cutB < 30 ? 0 : cutB))),
          })
        },
      ),
      { numRuns: 1500 * MUTATION_SCALE },
    )
  })

  test('throw nothing but format errors when the bytes are arbitrary', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SAMPLES),
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 300 }),
        (sample, a, b) => {
          readAll({ types: sample.types, dependencies: Buffer.from(a), objects: Buffer.from(b) })
          readAll({ ...sample, objects: Buffer.from(b) })
        },
      ),
      { numRuns: 1000 * MUTATION_SCALE },
    )
  })
})

describe('arbitrary metadata', () => {
  const typeNames = [
    'A',
    'B',
    'C',
    'StaticString',
    'StaticStringDependency',
    'PropertySetDependency',
    'Property',
    'StaticStringRef',
    'LogStringEventV2',
    'TaggedLogInteropEvent',
    'ImageEvent',
    'LogStaticStrEvent',
  ]
  const size = fc.oneof(fc.nat(40), fc.constantFrom(0, 0, 8, 16, 2 ** 32, 2 ** 53, 2 ** 64))
  const member: fc.Arbitrary<Member> = fc.record({
    name: fc.constantFrom('id', 'name', 'value', 'desc', 'time', 'level', 'target', '__proto__'),
    typeName: fc.constantFrom('u8', 'u32', 'u64', 'i64', 'f64', ...typeNames),
    offset: fc.oneof(fc.nat(20), size),
    size,
    isReference: fc.boolean(),
  })
  const type: fc.Arbitrary<UserDefinedType> = fc.record({
    name: fc.constantFrom(...typeNames),
    size,
    members: fc.array(member, { maxLength: 4 }),
    isReference: fc.boolean(),
  })
  const metadata = fc.array(type, { maxLength: 6 })

  test('makes nothing but format errors, in bounded time', () => {
    const small = fc
      .array(fc.oneof(fc.nat(8), fc.nat(255)), { maxLength: 120 })
      .map((list) => Buffer.from(list))
    fc.assert(
      fc.property(
        metadata,
        metadata,
        small,
        small,
        (dependenciesMetadata, objectsMetadata, dependencies, objects) => {
          readAll({ types: { dependenciesMetadata, objectsMetadata }, dependencies, objects })
          readAll({
            types: { dependenciesMetadata: LOG_STREAM.dependenciesMetadata, objectsMetadata },
            dependencies: LOG_DEPENDENCIES,
            objects,
          })
        },
      ),
      { numRuns: 1500 * MUTATION_SCALE },
    )
  })
})

describe('work in proportion to the bytes', () => {
  test('a million dynamic records of no bytes and of an unknown type are read', () => {
    const objects = Buffer.alloc(5_000_000)
    const parser = new BlockParser(
      { dependenciesMetadata: [], objectsMetadata: [dynamicType('New')] },
      EVENT_READERS,
    )
    let count = 0
    for (const _ of parser.parse(Buffer.alloc(0), objects)) count++
    expect(count).toBe(1_000_000)
  })

  test('a property set of many entries is shared by the events that refer to it, not copied', () => {
    const pairs = 20_000
    const dependencies = strings('k', 'app', 'm', 'f').u8(1).u64(10, 1, 2, 3, 4).u32(1).u32(4)
    const set = section().u64(20).u32(pairs)
    set.raw(Buffer.concat(Array.from({ length: pairs }, () => hex('0100000000000000 0200000000000000'))))
    dependencies.dynamic(2, set)
    const event = section().dynamic(4, section().u64(7).u8(3).u64(2, 20).text('m')).done()
    const objects = Buffer.concat(Array.from({ length: 20_000 }, () => event))
    const parser = new BlockParser(LOG_TYPES, EVENT_READERS)
    const entries = [...readLogEntries(parser.parse(dependencies.done(), objects), TICKS)]
    expect(entries).toHaveLength(20_000)
    expect(new Set(entries.map((entry) => entry.properties)).size).toBe(1)
  })
})

describe('requests with changed bytes', () => {
  test('throw nothing but format errors, through to the events', async () => {
    const encoder = createTelemetryEncoder()
    const process = Buffer.from(encoder.encodeProcess(PROCESS))
    const stream = Buffer.from(encoder.encodeStream(LOG_STREAM))
    const block = Buffer.from(encoder.encodeBlockSync(LOG_BLOCK, PROCESS))
    fc.assert(
      fc.property(changes, (list) => {
        ignoreFormatErrors(() => decodeProcess(changed(process, list)))
        ignoreFormatErrors(() => {
          const { dependencies, objects } = decodeBlock(changed(block, list))
          readAll({
            types: LOG_STREAM,
            dependencies: Buffer.from(decompressFrame(dependencies)),
            objects: Buffer.from(decompressFrame(objects)),
          })
        })
        ignoreFormatErrors(() => {
          readAll({
            types: decodeStream(changed(stream, list)),
            dependencies: LOG_DEPENDENCIES,
            objects: LOG_OBJECTS,
          })
        })
      }),
      { numRuns: 1500 * MUTATION_SCALE },
    )
  })

  test('throw nothing but format errors when the bytes are arbitrary', () => {
    const start = fc.constantFrom(
      hex(''),
      hex('bf'),
      hex('a1'),
      hex('bf 66 6f626a65637473'),
      hex('bf 6a 70726f70657274696573'),
    )
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 200 }), (prefix, rest) => {
        const bytes = Buffer.concat([prefix, rest])
        ignoreFormatErrors(() => decodeProcess(bytes))
        ignoreFormatErrors(() => decodeStream(bytes))
        ignoreFormatErrors(() => decodeBlock(bytes))
      }),
      { numRuns: 5000 * MUTATION_SCALE },
    )
  })
})
