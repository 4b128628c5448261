import { describe, expect, test } from 'vitest'
import type { SealedBlock } from '../../src/model/event-sink.ts'
import { Level } from '../../src/model/level.ts'
import type { EventStream } from '../../src/tracing/streams/event-stream.ts'
import { ImageStream } from '../../src/tracing/streams/image-stream.ts'
import { LogSite, LogStream } from '../../src/tracing/streams/log-stream.ts'
import { MetricSite, MetricsStream } from '../../src/tracing/streams/metrics-stream.ts'
import { SpanLocation, SpanRecord, SpanStream } from '../../src/tracing/streams/span-stream.ts'
import {
  CPU_LAYOUT,
  IMAGE_LAYOUT,
  LOG_LAYOUT,
  METRICS_LAYOUT,
  type StreamLayout,
} from '../../src/tracing/streams/stream-layouts.ts'
import { propertySet } from '../../src/tracing/values/property-set.ts'

/** The bytes of `protocol.md` sections 6 and 10. Ids are those of our own order; times are put in after the fact. */

const bytesOf = (spaced: string) => spaced.replaceAll(/\s/g, '')
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** The one block that the given recording makes. */
function blockOf<S extends EventStream>(stream: S, record: (stream: S) => void): SealedBlock {
  const blocks: SealedBlock[] = []
  stream.open('00000000-0000-4000-8000-000000000001', process.hrtime.bigint(), {}, (b) => blocks.push(b))
  record(stream)
  stream.seal()
  expect(blocks.length).toBe(1)
  return blocks[0]!
}

/** The objects with the times of the example in place of those of the clock, which are checked to be now. */
function withTimes(block: SealedBlock, times: Readonly<Record<number, bigint>>): string {
  const objects = Buffer.from(block.objects)
  for (const [offset, time] of Object.entries(times)) {
    const ticks = objects.readBigInt64LE(Number(offset))
    expect(ticks >= block.beginTicks && ticks <= block.endTicks).toBe(true)
    objects.writeBigInt64LE(time, Number(offset))
  }
  return hex(objects)
}

describe('log events', () => {
  const site = () => new LogSite(Level.Info, 'app', ['hello'])

  test('have the dependencies of example 10.2, with an empty string for the file that logs do not carry', () => {
    const block = blockOf(new LogStream(), (log) => log.writeStatic(site()))
    expect(hex(block.dependencies)).toBe(
      bytesOf(`
        00 12000000 0100000000000000 02 05000000 68656c6c6f
        00 10000000 0200000000000000 02 03000000 617070
        00 0d000000 0300000000000000 02 00000000
        01 0400000000000000 0100000000000000 0200000000000000 0200000000000000 0300000000000000 00000000 04000000`),
    )
  })

  test('are the objects of example 10.2, byte for byte', () => {
    const block = blockOf(new LogStream(), (log) => {
      const hello = site()
      const properties = propertySet({ env: 'prod' })
      log.writeStatic(hello)
      log.writeText(hello, 'hi')
      log.writeTagged(hello, 't', properties)
      log.writeInterop(Level.Warn, 'app', 'w', undefined)
      log.writeInterop(Level.Error, 'app', 'e', properties)
    })
    const times = {
      9: 5_000_001_000n,
      [17 + 13]: 5_000_002_500n,
      [45 + 21]: 5_000_003_000n,
      [45 + 35 + 5]: 5_000_003_001n,
      [45 + 35 + 28 + 5]: 5_000_003_002n,
    }
    expect(withTimes(block, times)).toBe(
      bytesOf(`
        00 0400000000000000 e8f5052a01000000
        01 17000000 0400000000000000 c4fb052a01000000 02 02000000 6869
        02 1e000000 0400000000000000 0700000000000000 b8fd052a01000000 02 01000000 74
        03 17000000 b9fd052a01000000 03 0200000000000000 02 01000000 77
        04 1f000000 bafd052a01000000 02 0200000000000000 0700000000000000 02 01000000 65`),
    )
    expect(hex(block.dependencies)).toContain(
      bytesOf(`
        00 10000000 0500000000000000 02 03000000 656e76
        00 11000000 0600000000000000 02 04000000 70726f64
        02 1c000000 0700000000000000 01000000 0500000000000000 0600000000000000`),
    )
  })

  test.each([
    ['two values', (log: LogStream, of: LogSite) => log.writeFormatted(of, 7, 'bob'), 'order 7 by bob!'],
    ['one value', (log: LogStream, of: LogSite) => log.writeFormatted(of, -12, undefined), 'order -12 by '],
  ] as const)('formatted from %s are a LogStringEventV2 with the message', (_, write, message) => {
    const parts = message.endsWith('!') ? ['order ', ' by ', '!'] : ['order ', ' by ']
    const block = blockOf(new LogStream(), (log) => write(log, new LogSite(Level.Info, 'app', parts)))
    const text = Buffer.from(message)
    const size = (n: number) => n.toString(16).padStart(2, '0')
    expect(withTimes(block, { 13: 1n })).toBe(
      bytesOf(`01 ${size(21 + text.length)}000000 0400000000000000 0100000000000000
        02 ${size(text.length)}000000 ${text.toString('hex')}`),
    )
  })
})

describe('metric events', () => {
  const frameTime = () => new MetricSite('frame_time', 'ms', 'app')

  test('have the values of example 10.3 in the recommended string type, without a file', () => {
    const block = blockOf(new MetricsStream(), (metrics) => metrics.writeFloat(frameTime(), 16.5))
    expect(hex(block.dependencies)).toBe(
      bytesOf(`
        00 17000000 0100000000000000 02 0a000000 6672616d655f74696d65
        00 0f000000 0200000000000000 02 02000000 6d73
        00 10000000 0300000000000000 02 03000000 617070
        00 0d000000 0400000000000000 02 00000000
        01 0500000000000000 0100000000000000 0200000000000000 0300000000000000 0400000000000000 00000000 03000000`),
    )
    expect(withTimes(block, { 17: 5_000_003_000n })).toBe(
      bytesOf('01 0500000000000000 0000000000803040 b8fd052a01000000'),
    )
  })

  test('are packed as section 6.5 lays them out', () => {
    const block = blockOf(new MetricsStream(), (metrics) => {
      const site = frameTime()
      const set = propertySet({ env: 'prod' })
      metrics.writeInteger(site, 2 ** 53 - 1)
      metrics.writeTaggedFloat(site, -0.5, set)
      metrics.writeTaggedInteger(site, 258, set)
      metrics.writeBigInteger(site, 2n ** 64n - 1n, undefined)
      metrics.writeBigInteger(site, 2n ** 63n, set)
    })
    const times = { 17: 1n, [25 + 25]: 2n, [58 + 25]: 3n, [91 + 17]: 4n, [116 + 25]: 5n }
    expect(withTimes(block, times)).toBe(
      bytesOf(`
        00 0500000000000000 ffffffffffff1f00 0100000000000000
        02 0500000000000000 0800000000000000 000000000000e0bf 0200000000000000
        03 0500000000000000 0800000000000000 0201000000000000 0300000000000000
        00 0500000000000000 ffffffffffffffff 0400000000000000
        03 0500000000000000 0800000000000000 0000000000000080 0500000000000000`),
    )
  })
})

describe('span events', () => {
  const place = { file: 'main.ts', line: 42 }

  test('of threads have a SpanRecord with name, target and place', () => {
    const block = blockOf(new SpanStream(), (cpu) => {
      const parse = new SpanRecord('parse', 'app', place)
      cpu.beginThreadSpan(parse)
      cpu.endThreadSpan(parse)
    })
    expect(hex(block.dependencies)).toBe(
      bytesOf(`
        00 10000000 0100000000000000 02 03000000 617070
        00 14000000 0200000000000000 02 07000000 6d61696e2e7473
        00 12000000 0300000000000000 02 05000000 7061727365
        01 0400000000000000 0300000000000000 0100000000000000 0100000000000000 0200000000000000 2a000000 03000000`),
    )
    expect(withTimes(block, { 9: 1n, 26: 2n })).toBe(
      bytesOf('00 0400000000000000 0100000000000000 01 0400000000000000 0200000000000000'),
    )
  })

  test('of threads under a name of their own have a SpanLocationRecord', () => {
    const block = blockOf(new SpanStream(), (cpu) => {
      const parse = new SpanRecord('parse', 'app', place, new SpanLocation('app'))
      cpu.beginThreadSpan(parse)
      cpu.endThreadSpan(parse)
    })
    expect(hex(block.dependencies)).toBe(
      bytesOf(`
        00 10000000 0100000000000000 02 03000000 617070
        00 0d000000 0200000000000000 02 00000000
        02 0300000000000000 0100000000000000 0100000000000000 0200000000000000 00000000 03000000
        00 12000000 0400000000000000 02 05000000 7061727365`),
    )
    expect(withTimes(block, { 17: 1n, 42: 2n })).toBe(
      bytesOf(`
        02 0300000000000000 0400000000000000 0100000000000000
        03 0300000000000000 0400000000000000 0200000000000000`),
    )
  })

  test('of async spans repeat id, parent and depth on both events', () => {
    const block = blockOf(new SpanStream(), (cpu) => {
      const ids = {
        spanId: 2 ** 40 + 5,
        parentSpanId: 2 ** 33,
        rootSpanId: 1,
        depth: 3,
        beginTicksLow: 0,
        isOpen: false,
      }
      const charge = { record: new SpanRecord('charge', 'app', place), ...ids }
      const named = { record: new SpanRecord('n', 'app', place, new SpanLocation('app')), ...ids }
      cpu.beginAsyncSpan(charge)
      cpu.endAsyncSpan(charge)
      cpu.beginAsyncSpan(named)
      cpu.endAsyncSpan(named)
    })
    const times = { 25: 1n, [37 + 25]: 2n, [74 + 33]: 3n, [119 + 33]: 4n }
    const ids = '0500000000010000 0000000002000000'
    expect(withTimes(block, times)).toBe(
      bytesOf(`
        04 0400000000000000 ${ids} 0100000000000000 03000000
        05 0400000000000000 ${ids} 0200000000000000 03000000
        06 0600000000000000 0700000000000000 ${ids} 0300000000000000 03000000
        07 0600000000000000 0700000000000000 ${ids} 0400000000000000 03000000`),
    )
  })
})

test('an image is example 10.4, byte for byte, without dependencies', () => {
  const block = blockOf(new ImageStream(), (image) =>
    image.writeImage('shot', 'png', Uint8Array.of(0x89, 0x50, 0x4e, 0x47)),
  )
  expect(block.dependencies.length).toBe(0)
  expect(withTimes(block, { 5: 5_000_000_001n })).toBe(
    bytesOf('00 21000000 01f2052a01000000 02 04000000 73686f74 02 03000000 706e67 04000000 89504e47'),
  )
})

describe('the metadata of a stream', () => {
  const shown = ({ dependencies, objects }: StreamLayout) => {
    const list = (types: StreamLayout['objects']) => types.map(({ name, size }) => `${name}(${size})`)
    return { dependencies: list(dependencies), objects: list(objects) }
  }

  test('is that of section 6.8 for each kind', () => {
    const strings = 'StaticStringDependency(0)'
    const sets = ['PropertySetDependency(0)', 'Property(16)']
    expect(shown(LOG_LAYOUT)).toEqual({
      dependencies: [strings, 'LogMetadataRecord(48)', ...sets],
      objects: [
        'LogStaticStrEvent(16)',
        'LogStringEventV2(0)',
        'TaggedLogString(0)',
        'LogStringInteropEventV3(0)',
        'TaggedLogInteropEvent(0)',
        'StaticStringRef(8)',
      ],
    })
    expect(shown(METRICS_LAYOUT)).toEqual({
      dependencies: [strings, 'MetricMetadataDependency(48)', ...sets],
      objects: [
        'IntegerMetricEvent(24)',
        'FloatMetricEvent(24)',
        'TaggedFloatMetricEvent(32)',
        'TaggedIntegerMetricEvent(32)',
      ],
    })
    expect(shown(CPU_LAYOUT)).toEqual({
      dependencies: [strings, 'SpanRecord(48)', 'SpanLocationRecord(40)', ...sets],
      objects: [
        'BeginThreadSpanEvent(16)',
        'EndThreadSpanEvent(16)',
        'BeginThreadNamedSpanEvent(24)',
        'EndThreadNamedSpanEvent(24)',
        'BeginAsyncSpanEvent(36)',
        'EndAsyncSpanEvent(36)',
        'BeginAsyncNamedSpanEvent(44)',
        'EndAsyncNamedSpanEvent(44)',
        'TaggedEndThreadSpanEvent(24)',
        'TaggedEndAsyncSpanEvent(44)',
      ],
    })
    expect(shown(IMAGE_LAYOUT)).toEqual({ dependencies: [], objects: ['ImageEvent(0)'] })
  })

  test('has the members that views read, at the packed offsets of section 6', () => {
    const types = [LOG_LAYOUT, METRICS_LAYOUT, CPU_LAYOUT].flatMap((l) => [...l.dependencies, ...l.objects])
    const members = (name: string) =>
      types
        .find((type) => type.name === name)!
        .members.map((m) => `${m.name} ${m.isReference ? 'ref' : m.typeName}@${m.offset}`)
    const record = (names: string[], last: string) => [
      'id u64@0',
      ...names.map((name, i) => `${name} ref@${8 + i * 8}`),
      `line u32@${8 + names.length * 8}`,
      `${last} u32@${12 + names.length * 8}`,
    ]
    expect(members('LogMetadataRecord')).toEqual(
      record(['fmt_str', 'target', 'module_path', 'file'], 'level'),
    )
    expect(members('MetricMetadataDependency')).toEqual(record(['name', 'unit', 'target', 'file'], 'lod'))
    expect(members('SpanRecord')).toEqual(record(['name', 'target', 'module_path', 'file'], 'lod'))
    expect(members('SpanLocationRecord')).toEqual(record(['target', 'module_path', 'file'], 'lod'))
    expect(members('Property')).toEqual(['name ref@0', 'value ref@8'])
    expect(members('StaticStringRef')).toEqual(['id ref@0'])
    expect(types.filter((type) => type.isReference).map((type) => type.name)).toEqual(['StaticStringRef'])
    expect(members('TaggedIntegerMetricEvent')).toEqual([
      'desc ref@0',
      'properties ref@8',
      'value u64@16',
      'time i64@24',
    ])
    expect(members('EndAsyncNamedSpanEvent')).toEqual([
      'span_location ref@0',
      'name ref@8',
      'span_id u64@16',
      'parent_span_id u64@24',
      'time i64@32',
      'depth u32@40',
    ])
  })

  test('declares only the member types that readers know, and no type that holds itself', () => {
    for (const { dependencies, objects } of [LOG_LAYOUT, METRICS_LAYOUT, CPU_LAYOUT, IMAGE_LAYOUT]) {
      for (const member of [...dependencies, ...objects].flatMap((type) => type.members)) {
        expect(['u8', 'u32', 'u64', 'i64', 'f64']).toContain(member.typeName)
      }
    }
  })
})
