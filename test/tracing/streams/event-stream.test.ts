import { describe, expect, test } from 'vitest'
import type { SealedBlock } from '../../../src/model/event-sink.ts'
import { Level } from '../../../src/model/level.ts'
import type { EventStream } from '../../../src/tracing/streams/event-stream.ts'
import { ImageStream } from '../../../src/tracing/streams/image-stream.ts'
import { LogSite, LogStream } from '../../../src/tracing/streams/log-stream.ts'
import { MetricSite, MetricsStream } from '../../../src/tracing/streams/metrics-stream.ts'
import { SpanRecord, SpanStream } from '../../../src/tracing/streams/span-stream.ts'
import { PropertySet } from '../../../src/tracing/values/property-set.ts'
import { processOf } from '../support/block-collector.ts'
import { checkRun, parseBlock } from '../support/check-run.ts'

const PROCESS = processOf(process.hrtime.bigint())
const KIB = 1024

/** Opens a stream, and gives the blocks it makes. */
function open(stream: EventStream, onBlock: (block: SealedBlock) => void = () => {}): SealedBlock[] {
  const blocks: SealedBlock[] = []
  stream.open(PROCESS.processId, PROCESS.startTicks, {}, (block) => {
    blocks.push(block)
    onBlock(block)
  })
  return blocks
}

function messagesOf(blocks: readonly SealedBlock[]): unknown[] {
  return blocks.flatMap(parseBlock).map((event) => event.get('msg'))
}

const site = (...parts: string[]) => new LogSite(Level.Info, 'app', parts)

describe('a full block', () => {
  test('is sealed and followed by one that begins where it ended, every dependency listed again', () => {
    const metrics = new MetricsStream()
    const blocks = open(metrics)
    const sites = Array.from({ length: 3 }, (_, i) => new MetricSite(`m${i}`, 'count', 'app'))
    const set = new PropertySet([['region', 'eu']])
    const count = 100_000
    for (let i = 0; i < count; i++) metrics.writeTaggedInteger(sites[i % 3]!, i, set)
    metrics.seal()
    expect(blocks.length).toBeGreaterThan(5)
    checkRun(blocks, PROCESS)
    const events = blocks.flatMap(parseBlock)
    expect(events.every((event, i) => event.get('value') === BigInt(i))).toBe(true)
    expect(new Set(blocks.map(({ dependencies }) => dependencies.length)).size).toBe(1)
    expect(metrics.stats).toEqual({ recorded: count, dropped: 0, invalid: 0 })
  })

  test('holds what fits: the last event ends at its capacity or the next would not have fitted', () => {
    const metrics = new MetricsStream()
    const blocks = open(metrics)
    const m = new MetricSite('m', 'count', 'app')
    for (let i = 0; i < 100_000; i++) metrics.writeFloat(m, i)
    for (const { objects } of blocks) {
      expect(objects.length).toBeLessThanOrEqual(512 * KIB)
      expect(objects.length).toBeGreaterThan(512 * KIB - 25)
    }
  })

  test('splits a stack of thread spans without breaking it', () => {
    const cpu = new SpanStream()
    const blocks = open(cpu)
    const outer = new SpanRecord('outer', 'app', { file: 'a.ts', line: 1 })
    const inner = new SpanRecord('inner', 'app', { file: 'a.ts', line: 2 })
    cpu.beginThreadSpan(outer)
    for (let i = 0; i < 50_000; i++) {
      cpu.beginThreadSpan(inner)
      cpu.endThreadSpan(inner)
    }
    cpu.endThreadSpan(outer)
    cpu.seal()
    expect(blocks.length).toBeGreaterThan(2)
    checkRun(blocks, PROCESS)
    expect(cpu.stats).toEqual({ recorded: 100_002, dropped: 0, invalid: 0 })
  })

  test('is sealed early when its dependencies, not its events, have grown', () => {
    const log = new LogStream()
    const blocks = open(log)
    for (let i = 0; i < 2000; i++) {
      log.writeTagged(site('x'), 'm', new PropertySet([['id', `${i}-${'v'.repeat(1000)}`]]))
    }
    log.seal()
    expect(blocks.length).toBeGreaterThan(2)
    checkRun(blocks, PROCESS)
    for (const { dependencies } of blocks) expect(dependencies.length).toBeLessThan(520 * KIB)
  })
})

describe('an event larger than a block', () => {
  test('gets a block of its own, and what comes before and after stays in order', () => {
    const log = new LogStream()
    const blocks = open(log)
    const texts = ['before', 'é'.repeat(262_144), 'after']
    for (const text of texts) log.writeText(site(''), text)
    log.seal()
    checkRun(blocks, PROCESS)
    expect(messagesOf(blocks)).toEqual(texts)
  })

  test('leaves no oversized buffer behind: a block holds hardly more memory than its events need', () => {
    const log = new LogStream()
    const blocks = open(log)
    log.writeText(site(''), 'a'.repeat(262_144))
    log.writeText(site(''), 'small')
    log.seal()
    log.writeText(site(''), 'b'.repeat(262_144))
    log.seal()
    for (const { objects } of blocks) {
      expect(objects.buffer.byteLength).toBeLessThanOrEqual(objects.byteLength * 2)
    }
  })
})

describe('sealing', () => {
  test('makes no block of nothing', () => {
    for (const stream of [new LogStream(), new MetricsStream(), new SpanStream(), new ImageStream()]) {
      const blocks = open(stream)
      stream.seal()
      stream.seal()
      stream.close()
      expect(blocks).toEqual([])
    }
  })

  test('hands out bytes that later events do not overwrite', () => {
    const log = new LogStream()
    const blocks = open(log)
    const hello = site('hello')
    log.writeText(hello, 'first')
    log.seal()
    for (let i = 0; i < 100; i++) log.writeText(hello, 'second')
    expect(messagesOf(blocks)).toEqual(['first'])
  })

  test('keeps a part-filled block no larger than its events, and uses its buffer again', () => {
    const log = new LogStream()
    const blocks = open(log)
    const hello = site('hello')
    log.writeStatic(hello)
    const { buffer } = log.bytes
    log.seal()
    log.writeStatic(hello)
    log.seal()
    expect(log.bytes.buffer).toBe(buffer)
    expect(blocks.map(({ objects }) => objects.buffer.byteLength)).toEqual([17, 17])
  })
})

describe('before telemetry starts', () => {
  test('64 KiB of events are kept, the rest is counted, and the block is no larger than it must be', () => {
    const metrics = new MetricsStream()
    const m = new MetricSite('early', 'count', 'app')
    for (let i = 0; i < 3000; i++) metrics.writeInteger(m, i)
    const kept = Math.floor((64 * KIB) / 25)
    expect(metrics.stats).toEqual({ recorded: kept, dropped: 3000 - kept, invalid: 0 })
    const blocks = open(metrics)
    metrics.writeInteger(m, 9999)
    metrics.seal()
    checkRun(blocks, PROCESS)
    const values = blocks.flatMap(parseBlock).map((event) => event.get('value'))
    expect(values).toEqual([...Array.from({ length: kept }, (_, i) => BigInt(i)), 9999n])
  })

  test('little is kept in little memory', () => {
    const log = new LogStream()
    log.writeStatic(site('early'))
    const blocks = open(log)
    log.seal()
    expect(blocks[0]!.objects.buffer.byteLength).toBe(17)
  })

  test('an event that does not fit is counted, and smaller ones after it are still kept', () => {
    const log = new LogStream()
    const large = 'x'.repeat(60_000)
    for (const text of [large, 'small', large, 'as small']) log.writeText(site(''), text)
    expect(log.stats).toEqual({ recorded: 2, dropped: 2, invalid: 0 })
    const blocks = open(log)
    log.seal()
    expect(messagesOf(blocks)).toEqual(['small', 'as small'])
  })

  test('no event is looked at any more once the room is used up', () => {
    const log = new LogStream()
    while (!log.refusing) log.writeText(site(''), 'y'.repeat(300))
    expect(log.capacity - log.cursor).toBeLessThan(1024)
    const { dropped } = log.stats
    log.writeText(site(''), '')
    expect(log.stats.dropped).toBe(dropped + 1)
  })

  test('what is kept is forgotten where nobody wants the kind, and counts nowhere from then on', () => {
    const metrics = new MetricsStream()
    const m = new MetricSite('early', 'count', 'app')
    metrics.writeInteger(m, 1)
    metrics.turnOff()
    for (let i = 0; i < 10; i++) metrics.writeInteger(m, i)
    metrics.seal()
    expect(metrics.stats.dropped).toBe(0)
    expect(metrics.bytes.length).toBe(0)
  })
})

describe('a closed stream', () => {
  test('counts what comes after, and starts anew as another stream when it is opened again', () => {
    const metrics = new MetricsStream()
    const m = new MetricSite('m', 'count', 'app')
    const first = open(metrics)
    metrics.writeInteger(m, 1)
    metrics.close()
    metrics.writeInteger(m, 2)
    metrics.writeInteger(m, 3)
    metrics.seal()
    const second = open(metrics)
    metrics.writeInteger(m, 4)
    metrics.close()
    expect([first.length, second.length]).toEqual([1, 1])
    checkRun([...first, ...second], PROCESS)
    expect(second[0]!.objectOffset).toBe(0)
    expect(second[0]!.stream.streamId).not.toBe(first[0]!.stream.streamId)
    expect(metrics.stats).toEqual({ recorded: 2, dropped: 2, invalid: 0 })
  })
})

describe('a receiver of blocks', () => {
  test('may record into the stream that hands it one, large events before a large one that is waiting', () => {
    const log = new LogStream()
    let notes = 0
    const blocks = open(log, () => {
      if (notes++ < 2) log.writeText(site(''), '€'.repeat(160_000))
    })
    for (let i = 0; i < 12; i++) log.writeText(site(''), 'x'.repeat(100_000))
    log.seal()
    checkRun(blocks, PROCESS)
    const lengths = messagesOf(blocks).map((message) => (message as string).length)
    expect(lengths.filter((length) => length === 100_000).length).toBe(12)
    expect(lengths.filter((length) => length === 160_000).length).toBe(2)
    expect(log.stats).toEqual({ recorded: 14, dropped: 0, invalid: 0 })
  })

  test('that fills every next block costs the events that find no room, not the process', () => {
    const log = new LogStream()
    const blocks = open(log, () => log.writeText(site(''), '€'.repeat(160_000)))
    for (let i = 0; i < 12; i++) log.writeText(site(''), 'x'.repeat(100_000))
    log.seal()
    checkRun(blocks, PROCESS)
    const lengths = messagesOf(blocks).map((message) => (message as string).length)
    const kept = lengths.filter((length) => length === 100_000).length
    expect(log.stats.dropped).toBe(12 - kept)
    expect(kept).toBeGreaterThan(0)
  })

  test('may close the stream that hands it one: the event that is waiting is counted as dropped', () => {
    const metrics = new MetricsStream()
    const m = new MetricSite('m', 'count', 'app')
    let closed = false
    const blocks = open(metrics, () => {
      closed = true
      metrics.close()
    })
    let written = 0
    while (!closed) metrics.writeInteger(m, written++)
    metrics.writeInteger(m, written++)
    checkRun(blocks, PROCESS)
    expect(metrics.stats).toEqual({ recorded: written - 2, dropped: 2, invalid: 0 })
  })
})
