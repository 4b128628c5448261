/** What the readers of views make of the recordings: the newest event types are in that of the Rust SDK. */
import { expect, test } from 'vitest'
import { pairAsyncSpans, readAsyncSpanEvents } from '../../src/telemetry/decode/async-spans.ts'
import { decodeBlock, decodeProcess, decodeStream } from '../../src/telemetry/decode/decoder.ts'
import { EVENT_READERS } from '../../src/telemetry/decode/event-readers.ts'
import { readImages } from '../../src/telemetry/decode/images.ts'
import { readLogEntries } from '../../src/telemetry/decode/log-entries.ts'
import { readMeasures } from '../../src/telemetry/decode/measures.ts'
import { readThreadSpanEvents, rebuildThreadSpans } from '../../src/telemetry/decode/thread-spans.ts'
import { TickConverter } from '../../src/telemetry/decode/tick-converter.ts'
import type { EventOptions } from '../../src/telemetry/event-options.ts'
import { decompressFrame } from '../../src/telemetry/lz4/lz4-frame.ts'
import { BlockParser } from '../../src/transit/parser.ts'
import type { TransitObject } from '../../src/transit/value.ts'
import { parseRecording, type RecordedRequest, readFixture } from '../conformance/recording.ts'

type Reader<Row> = (
  objects: Iterable<TransitObject>,
  ticks: TickConverter,
  options?: EventOptions,
) => Iterable<Row>

/** The blocks that an SDK posted, parsed. */
function blocksOf(sdk: 'node' | 'rust') {
  const requests = parseRecording(readFixture(`${sdk}-sdk.requests`))
  const bodies = (route: RecordedRequest['path']) =>
    requests.filter(({ path }) => path === route).map(({ body }) => body)
  const process = decodeProcess(bodies('insert_process')[0]!)
  const streams = new Map(
    bodies('insert_stream')
      .map((body) => decodeStream(body))
      .map((stream) => [stream.streamId, stream]),
  )
  return bodies('insert_block').map((body) => {
    const { dependencies, objects, ...block } = decodeBlock(body)
    const stream = streams.get(block.streamId)!
    const parser = new BlockParser(stream, EVENT_READERS)
    return {
      ...block,
      tag: stream.tags[0]!,
      ticks: new TickConverter(process, block),
      objects: [...parser.parse(decompressFrame(dependencies), decompressFrame(objects))],
    }
  })
}

const rust = blocksOf('rust')

function readRust<Row>(tag: string, read: Reader<Row>): Row[] {
  return rust.filter((block) => block.tag === tag).flatMap(({ objects, ticks }) => [...read(objects, ticks)])
}

test.each(['rust', 'node'] as const)('the views know every event that the %s SDK sends', (sdk) => {
  const views: Record<string, readonly Reader<unknown>[]> = {
    log: [readLogEntries],
    metrics: [readMeasures],
    cpu: [readThreadSpanEvents, readAsyncSpanEvents],
    image: [readImages],
  }
  const unknown: string[] = []
  let rows = 0
  const blocks = blocksOf(sdk)
  for (const { tag, objects, ticks } of blocks) {
    for (const read of views[tag]!) {
      rows += [...read(objects, ticks, { onUnknown: (typeName) => unknown.push(typeName) })].length
    }
  }
  expect(unknown).toEqual([])
  // every event is a row of one view, span events of either
  expect(rows).toBe(blocks.reduce((sum, { objects }) => sum + objects.length, 0))
})

test('messages left as templates are rendered, overrides count, those of interop events do not', () => {
  const entries = readRust('log', readLogEntries)
  const named = (message: string) => entries.find((entry) => entry.msg === message)
  expect(named('ada fetched 3 rows')).toMatchObject({ level: 4, properties: { user: 'ada', rows: '3' } })
  expect(named('debug value Some("x")')).toMatchObject({ level: 2, properties: { debug: 'Some("x")' } })
  const properties = { level: 'warning', target: 'overridden', other: 'kept' }
  expect(named('overridden level and target')).toMatchObject({ level: 3, target: 'overridden', properties })
  expect(named('interop with properties 7')).toMatchObject({
    level: 3,
    target: 'ζ 🦀',
    properties: { level: 'not a level', target: 'a target', request: 'r-1' },
  })
})

test('metrics with names made at run time take name and unit from their properties', () => {
  const measures = readRust('metrics', readMeasures)
  expect(measures.find(({ name }) => name === 'queue.c0ffee.depth')).toMatchObject({
    unit: 'count',
    value: 5,
    target: 'micromegas_conformance::script',
  })
  expect(measures.find(({ name }) => name === 'c0ffee')).toMatchObject({
    unit: 'ms',
    value: 6.5,
    target: 'metric::target',
    properties: { region: 'eu' },
  })
})

test('spans have the properties they ended with', () => {
  const stream = rust.find(({ tag }) => tag === 'cpu')!.streamId
  const blocks = rust.filter(({ streamId }) => streamId === stream)
  const threadSpans = rebuildThreadSpans(blocks, blocks[0]!.ticks, 'thread')
  const { spans } = pairAsyncSpans(readRust('cpu', readAsyncSpanEvents))
  const tagged = [...threadSpans, ...spans].filter(({ properties }) => Object.keys(properties).length > 0)
  expect(tagged.map(({ name, properties }) => [name, properties])).toEqual([
    ['with properties', { region: 'eu', rows: '42' }],
    ['literal property only', { region: 'eu' }],
    ['named with properties', { region: 'eu', clé: '值' }],
    ['built with properties', { n: '1' }],
    ['with properties', { rows: '2' }],
    ['row 3', { n: '3' }],
    ['fetch', { done: 'true' }],
  ])
  expect(spans.find(({ name }) => name === 'row 2 🦀')).toMatchObject({ depth: 0, properties: {} })
})
