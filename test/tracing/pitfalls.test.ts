/**
 * The rows of `protocol.md` section 11 ("What producers get wrong") that concern recording, each with a test that this SDK
 * does not make the mistake. Blocks are read here byte by byte, by the layouts of sections 5 and 6 alone.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import type { SealedBlock } from '../../src/model/event-sink.ts'
import { Level } from '../../src/model/level.ts'
import { recordImage } from '../../src/tracing/image.ts'
import { logger } from '../../src/tracing/logs/logger.ts'
import { recordLog } from '../../src/tracing/logs/record-log.ts'
import { fmetric, imetric } from '../../src/tracing/metric.ts'
import { asyncSpan, defineSpan, span } from '../../src/tracing/spans/span.ts'
import { propertySet } from '../../src/tracing/values/property-set.ts'
import type { UserDefinedType } from '../../src/transit/reflection.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startRecording } from './support/recording.ts'

interface RawRecord {
  readonly type: UserDefinedType
  /** The bytes after type index and size word. */
  readonly object: Buffer
}

function recordsOf(section: Uint8Array, types: readonly UserDefinedType[]): RawRecord[] {
  const bytes = Buffer.from(section)
  const records: RawRecord[] = []
  for (let at = 0; at < bytes.length; ) {
    const type = types[bytes.readUInt8(at)]!
    at += 1
    const size = type.size === 0 ? bytes.readUInt32LE(at) : type.size
    if (type.size === 0) at += 4
    expect(at + size).toBeLessThanOrEqual(bytes.length)
    records.push({ type, object: bytes.subarray(at, at + size) })
    at += size
  }
  return records
}

/** The ids that a record refers to, by its members or by the layout that its name stands for. */
function referencesOf({ type, object }: RawRecord): bigint[] {
  const at = (...offsets: number[]) => offsets.map((offset) => object.readBigUInt64LE(offset))
  switch (type.name) {
    case 'StaticStringDependency':
    case 'ImageEvent':
      return []
    case 'PropertySetDependency':
      return at(...Array.from({ length: object.readUInt32LE(8) * 2 }, (_, i) => 12 + i * 8))
    case 'LogStringEventV2':
      return at(0)
    case 'TaggedLogString':
      return at(0, 8)
    case 'LogStringInteropEventV3':
      return at(9)
    case 'TaggedLogInteropEvent':
      return at(9, 17)
    default:
      expect(type.size).toBeGreaterThan(0)
      return at(...type.members.filter((member) => member.isReference).map(({ offset }) => offset))
  }
}

const idOf = ({ object }: RawRecord) => object.readBigUInt64LE(0)

/** One run with everything in it, in many blocks. */
let blocks: readonly SealedBlock[] = []
let startTicks = 0n

beforeAll(async () => {
  const recording = startRecording()
  startTicks = recording.process.startTicks
  const log = logger('pitfalls')
  const eu = propertySet({ region: 'eu', level: 'warn', name: 'n' })
  for (let i = 0; i < 5; i++) {
    log.info('static')
    log.info`value ${i} ${'é\ud800'}`
    log.info('tagged', { region: 'eu' })
    log.warn('overriding', eu)
    recordLog(Level.Error, 'interop', 'message')
    recordLog(Level.Error, 'interop', 'message', eu)
    fmetric('latency', 'ms').record(i)
    fmetric('latency', 'ms').record(i, eu)
    imetric('orders', 'count').record(i)
    imetric('orders', 'count').record(i, eu)
    span('outer', () => span('inner', () => {}))
    await asyncSpan('async', () => asyncSpan('child', () => sleep(1)))
    recordImage('shot', 'png', Uint8Array.of(1, 2, 3))
    if (i % 2 === 1) blocks = recording.blocks()
  }
  for (let i = 0; i < 30_000; i++) imetric('orders', 'count').record(i)
  blocks = recording.blocks()
  await recording.stop()
})

describe('every block', () => {
  test('lists each dependency once, under an id of its own, before anything refers to it', () => {
    for (const { stream, dependencies, objects } of blocks) {
      const known = new Set<bigint>()
      for (const record of recordsOf(dependencies, stream.dependenciesMetadata)) {
        for (const id of referencesOf(record).filter((_, i) => i > 0 || record.type.size === 0)) {
          expect(known.has(id)).toBe(true)
        }
        expect(known.has(idOf(record))).toBe(false)
        known.add(idOf(record))
      }
      for (const record of recordsOf(objects, stream.objectsMetadata)) {
        for (const id of referencesOf(record)) expect(known.has(id)).toBe(true)
      }
    }
  })

  test('carries all of its dependencies, whatever earlier blocks have carried', () => {
    const ofKind = (kind: string) => blocks.filter(({ stream }) => stream.kind === kind)
    for (const kind of ['log', 'metrics', 'cpu']) {
      expect(ofKind(kind).length).toBeGreaterThan(1)
      for (const { dependencies } of ofKind(kind)) expect(dependencies.length).toBeGreaterThan(0)
    }
    for (const { dependencies } of ofKind('image')) expect(dependencies.length).toBe(0)
  })

  test('has the exact number of its events, at least one, and of those before it in its stream', () => {
    const offsets = new Map<string, number>()
    for (const { stream, objects, eventCount, objectOffset } of blocks) {
      expect(recordsOf(objects, stream.objectsMetadata).length).toBe(eventCount)
      expect(eventCount).toBeGreaterThan(0)
      expect(objectOffset).toBe(offsets.get(stream.streamId) ?? 0)
      offsets.set(stream.streamId, objectOffset + eventCount)
    }
  })

  test('begins where the one before it ended, and has its events in between, in order, in absolute ticks', () => {
    const ends = new Map<string, bigint>()
    for (const { stream, objects, beginTicks, endTicks } of blocks) {
      const previousEnd = ends.get(stream.streamId)
      if (previousEnd === undefined) expect(beginTicks >= startTicks).toBe(true)
      else expect(beginTicks).toBe(previousEnd)
      ends.set(stream.streamId, endTicks)
      let previous = beginTicks
      for (const { type, object } of recordsOf(objects, stream.objectsMetadata)) {
        const dynamicOffsets: Record<string, number> = { LogStringEventV2: 8, TaggedLogString: 16 }
        const member = type.members.find(({ name }) => name === 'time')
        const time = object.readBigInt64LE(member?.offset ?? dynamicOffsets[type.name] ?? 0)
        expect(time >= previous && time <= endTicks).toBe(true)
        previous = time
      }
    }
  })

  test('has an id that no other block has, and no stream shares its id with another', () => {
    expect(new Set(blocks.map(({ blockId }) => blockId)).size).toBe(blocks.length)
    const streams = new Set(blocks.map(({ stream }) => stream))
    expect(streams.size).toBe(4)
    expect(new Set([...streams].map(({ streamId }) => streamId)).size).toBe(4)
    for (const { blockId } of blocks) {
      expect(blockId).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
    }
  })

  test('has the same metadata as every other of its stream', () => {
    for (const { stream } of blocks) {
      expect(blocks.filter((block) => block.stream.streamId === stream.streamId)[0]!.stream).toBe(stream)
    }
  })
})

describe('strings', () => {
  test('are valid UTF-8, lone surrogates replaced, and never the strict StaticString', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    for (const { stream, dependencies } of blocks) {
      const records = recordsOf(dependencies, stream.dependenciesMetadata)
      expect(records.some(({ type }) => type.name === 'StaticString')).toBe(false)
      for (const { object } of records.filter(({ type }) => type.name === 'StaticStringDependency')) {
        expect(object.readUInt8(8)).toBe(2)
        expect(object.readUInt32LE(9)).toBe(object.length - 13)
        decoder.decode(object.subarray(13))
      }
    }
  })
})

describe('metadata', () => {
  test('has Property beside every property set, and StaticStringRef beside the interop events', () => {
    for (const { stream } of blocks) {
      const names = (types: readonly UserDefinedType[]) => types.map(({ name }) => name)
      const dependencies = names(stream.dependenciesMetadata)
      expect(dependencies.includes('Property')).toBe(dependencies.includes('PropertySetDependency'))
      const objects = names(stream.objectsMetadata)
      expect(objects.includes('StaticStringRef')).toBe(objects.includes('LogStringInteropEventV3'))
    }
  })
})

describe('properties that servers read as columns', () => {
  test('never stand in an event type that lets them: level and target in logs, name, unit and target in metrics', () => {
    for (const { stream, dependencies, objects } of blocks) {
      const strings = new Map<bigint, string>()
      const keys = new Map<bigint, (string | undefined)[]>()
      for (const record of recordsOf(dependencies, stream.dependenciesMetadata)) {
        if (record.type.name === 'StaticStringDependency') {
          strings.set(idOf(record), record.object.subarray(13).toString())
        } else if (record.type.name === 'PropertySetDependency') {
          const references = referencesOf(record).filter((_, i) => i % 2 === 0)
          keys.set(
            idOf(record),
            references.map((id) => strings.get(id)),
          )
        }
      }
      for (const record of recordsOf(objects, stream.objectsMetadata)) {
        const forbidden: Record<string, string[]> = {
          TaggedLogString: ['level', 'target'],
          TaggedFloatMetricEvent: ['name', 'unit', 'target'],
          TaggedIntegerMetricEvent: ['name', 'unit', 'target'],
        }
        const columns = forbidden[record.type.name]
        if (columns === undefined) continue
        for (const key of keys.get(referencesOf(record)[1]!)!) expect(columns).not.toContain(key)
      }
    }
  })
})

describe('spans', () => {
  test('that are synchronous never stay open across an await: what is forgotten is ended by the flush tick', async () => {
    const clock = new ManualClock()
    await using recording = startRecording({ flushPeriodMs: 5, clock })
    const wrong = defineSpan('across an await')
    wrong.begin()
    await clock.advance(5)
    wrong.end()
    span('after', () => {})
    expect(recording.threadEvents()).toEqual(['+across an await', '-across an await', '+after', '-after'])
  })

  test('that are asynchronous end later than they begin, and have ids unique over streams and runs', async () => {
    const ids = new Set<bigint>()
    for (let run = 0; run < 2; run++) {
      await using recording = startRecording()
      for (let i = 0; i < 1000; i++) await asyncSpan('short', () => {})
      const begins = new Map<bigint, bigint>()
      for (const { phase, spanId, timeNs } of recording.asyncEvents()) {
        if (phase === 'begin') {
          expect(ids.has(spanId)).toBe(false)
          ids.add(spanId)
          begins.set(spanId, timeNs)
        } else {
          expect(timeNs > begins.get(spanId)!).toBe(true)
        }
      }
    }
    expect(ids.size).toBe(2000)
  })
})
