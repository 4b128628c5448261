/**
 * The event types and layouts of section 6 that other producers send, this SDK does not: built by hand, uploaded by
 * `HttpEventSink`, read back by the server's API and views.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type TestServer } from '../../server/test/support/server.ts'
import { process as newProcess, START_NS } from '../../server/test/support/telemetry.ts'
import { HttpEventSink, type SealedBlock, type StreamInfo, type StreamKind } from '../../src/index.ts'
import type { RecordTypes } from '../../src/transit/parser.ts'
import type { ExpectedRecord } from '../conformance/script/expected.ts'
import { LOG_TYPES } from '../telemetry/sample-blocks.ts'
import { METRICS_DEPENDENCIES, METRICS_OBJECTS, METRICS_TYPES } from '../telemetry/worked-examples.ts'
import { type Section, section } from '../transit/section.ts'
import { ReadApi } from './support/read-api.ts'
import { RUST_CPU_TYPES, RUST_LOG_TYPES } from './support/rust-layouts.ts'

let server: TestServer
let api: ReadApi
beforeAll(async () => {
  server = await startServer()
  api = new ReadApi(server)
})
afterAll(() => server.close())

/** Uploads one block of a process of its own, and gives its events as the read API shows them. */
async function roundTrip(
  kind: StreamKind,
  types: RecordTypes,
  content: {
    readonly dependencies: Section | Buffer
    readonly objects: Section | Buffer
    readonly count: number
  },
  startTicks = 0n,
): Promise<{ readonly processId: string; readonly events: ExpectedRecord[] }> {
  const process = newProcess({ startTicks })
  const { processId } = process
  const stream: StreamInfo = { ...types, streamId: randomUUID(), processId, kind, properties: {} }
  const block: SealedBlock = {
    blockId: randomUUID(),
    stream,
    beginTicks: startTicks,
    endTicks: startTicks + 10_000n,
    dependencies: bytesOf(content.dependencies),
    objects: bytesOf(content.objects),
    eventCount: content.count,
    objectOffset: 0,
  }
  const warnings: string[] = []
  const sink = new HttpEventSink(server.url, { warn: (message) => warnings.push(message) })
  sink.onStartup(process)
  sink.onBlock(block)
  expect(await sink.shutdown()).toMatchObject({ delivered: { blocks: 1, events: content.count } })
  expect(warnings).toEqual([])
  await server.idle()
  expect(server.reasons()).toEqual([])
  return { processId, events: await api.events(block.blockId) }
}

function bytesOf(part: Section | Buffer): Buffer {
  return Buffer.isBuffer(part) ? part : part.done()
}

/** A string dependency at index 0 of the layouts of this SDK. */
function string(dependencies: Section, id: number, text: string | Uint8Array, codec = 2): Section {
  return dependencies.dynamic(0, section().u64(id).text(text, codec))
}

const LOG_DESC = {
  type: 'LogMetadataRecord',
  id: 10n,
  fmt_str: 'static',
  target: 'app',
  module_path: 'mod',
  file: 'main.rs',
  line: 42,
  level: 3,
}

test('legacy log events, interop events of static text, and strings of every codec', async () => {
  const dependencies = section()
  string(dependencies, 1, 'static')
  string(dependencies, 2, 'app', 0)
  string(dependencies, 3, Buffer.from('mød 🦀', 'utf16le'), 1)
  string(dependencies, 4, 'main.rs')
  dependencies.u8(1).u64(10, 1, 2, 3, 4).u32(42).u32(3)
  const objects = section()
    .u8(6) // LogStaticStrInteropEvent
    .u64(100)
    .u32(2)
    .u64(2, 1)
    .dynamic(7, section().u64(10, 200).raw('legacy ü')) // LogStringEvent
    .dynamic(8, section().u64(300).u32(5).u64(2, 0xdead).raw('legacy interop')) // LogStringInteropEventV2
  const { processId, events } = await roundTrip('log', LOG_TYPES, { dependencies, objects, count: 3 })
  const desc = { ...LOG_DESC, module_path: 'mød 🦀' }
  expect(events).toEqual([
    { type: 'LogStaticStrInteropEvent', time: 100n, level: 2, target: 'app', msg: 'static' },
    { type: 'LogStringEvent', desc, time: 200n, msg: 'legacy ü' },
    { type: 'LogStringInteropEventV2', time: 300n, level: 5, target: 'app', msg: 'legacy interop' },
  ])
  const rows = await api.rows(`log_entries?process_id=${processId}&order=oldest`)
  const row = { target: 'app', properties: {} }
  expect(rows).toMatchObject([
    { ...row, time_ns: String(START_NS + 100n), level: 2, msg: 'static' },
    { ...row, time_ns: String(START_NS + 200n), level: 3, msg: 'legacy ü' },
    { ...row, time_ns: String(START_NS + 300n), level: 5, msg: 'legacy interop' },
  ])
})

/** A `StaticString`: its bytes reach to the end of the record. */
function staticString(dependencies: Section, index: number, id: number, text: string): Section {
  return dependencies.dynamic(index, section().u64(id).raw(text))
}

test('log events and property sets in the layout of the Rust SDK', async () => {
  const dependencies = section()
  staticString(dependencies, 0, 1, 'static')
  staticString(dependencies, 0, 2, 'app')
  staticString(dependencies, 0, 3, 'mod')
  dependencies.dynamic(1, section().u64(4).text('main.rs'))
  dependencies.u8(2).u64(10, 1, 2, 3, 4).u32(42).u32(3)
  // A property takes two handles of 16 bytes, whose second half says nothing.
  dependencies.dynamic(3, section().u64(20).u32(2).u64(1, 0xff, 2, 0xff, 3, 0xff, 4, 0xff))
  const handle = (id: number): Section => section().u64(id, 0xdead)
  const objects = section()
    .u8(0)
    .u64(10, 1)
    .dynamic(1, section().u64(10, 2).text('text'))
    .u8(2)
    .raw(handle(2).done())
    .raw(handle(1).done())
    .u64(3)
    .u32(6)
    .u32(0)
    .dynamic(3, section().u64(4).u8(1).raw(handle(2).done()).text('interop'))
    .dynamic(4, section().u64(10, 20, 5).text('tagged'))
  const { processId, events } = await roundTrip('log', RUST_LOG_TYPES, { dependencies, objects, count: 5 })
  const properties = [
    ['static', 'app'],
    ['mod', 'main.rs'],
  ]
  expect(events).toEqual([
    { type: 'LogStaticStrEvent', desc: LOG_DESC, time: 1n },
    { type: 'LogStringEventV2', desc: LOG_DESC, time: 2n, msg: 'text' },
    { type: 'LogStaticStrInteropEvent', target: 'app', msg: 'static', time: 3n, level: 6 },
    { type: 'LogStringInteropEventV3', time: 4n, level: 1, target: 'app', msg: 'interop' },
    { type: 'TaggedLogString', desc: LOG_DESC, properties, time: 5n, msg: 'tagged' },
  ])
  const rows = await api.rows(`log_entries?process_id=${processId}&order=oldest`)
  expect(rows.map(({ level, msg }) => [level, msg])).toEqual([
    [3, 'static'],
    [3, 'text'],
    [6, 'static'],
    [1, 'interop'],
    [3, 'tagged'],
  ])
  expect(rows[4]?.properties).toEqual({ static: 'app', mod: 'main.rs' })
})

test('the worked example of a metric', async () => {
  const content = { dependencies: METRICS_DEPENDENCIES, objects: METRICS_OBJECTS, count: 1 }
  const { processId, events } = await roundTrip('metrics', METRICS_TYPES, content, 5_000_000_000n)
  const desc = { type: 'MetricMetadataDependency', id: 5n, name: 'frame_time', unit: 'ms', target: 'app' }
  expect(events).toEqual([
    {
      type: 'FloatMetricEvent',
      desc: { ...desc, file: 'main.ts', line: 7, lod: 2 },
      value: 16.5,
      time: 5_000_003_000n,
    },
  ])
  const [row] = await api.rows(`measures?process_id=${processId}`)
  expect(row).toMatchObject({
    time_ns: String(START_NS + 3_000n),
    name: 'frame_time',
    unit: 'ms',
    value: 16.5,
  })
})

test('spans in the layout of the Rust SDK', async () => {
  const dependencies = section()
  for (const [i, text] of ['parse', 'app', 'mod', 'main.rs', 'built', 'fetch'].entries())
    staticString(dependencies, 2, i + 1, text)
  dependencies.u8(0).u64(10, 1, 2, 3, 4).u32(7).u32(3)
  dependencies.u8(1).u64(11, 2, 3, 4).u32(8).u32(3)
  const objects = section()
    .u8(0)
    .u64(10, 100)
    .u8(2)
    .u64(11, 5, 0xdead, 110)
    .u8(3)
    .u64(11, 5, 0xdead, 120)
    .u8(1)
    .u64(10, 130)
  objects.u8(4).u64(10, 7, 0, 140).u32(0).u32(0)
  objects.u8(6).u64(11, 6, 0xdead, 8, 7, 150).u32(1).u32(0)
  objects.u8(7).u64(11, 6, 0xdead, 8, 7, 160).u32(1).u32(0)
  objects.u8(5).u64(10, 7, 0, 170).u32(0).u32(0)
  const { processId, events } = await roundTrip('cpu', RUST_CPU_TYPES, { dependencies, objects, count: 8 })
  const place = { target: 'app', module_path: 'mod', file: 'main.rs' }
  const desc = { type: 'SpanRecord', id: 10n, name: 'parse', ...place, line: 7, lod: 3 }
  const location = { type: 'SpanLocationRecord', id: 11n, ...place, line: 8, lod: 3 }
  const root = { span_desc: desc, span_id: 7n, parent_span_id: 0n, depth: 0 }
  const child = { span_location: location, name: 'fetch', span_id: 8n, parent_span_id: 7n, depth: 1 }
  expect(events).toEqual([
    { type: 'BeginThreadSpanEvent', thread_span_desc: desc, time: 100n },
    { type: 'BeginThreadNamedSpanEvent', thread_span_location: location, name: 'built', time: 110n },
    { type: 'EndThreadNamedSpanEvent', thread_span_location: location, name: 'built', time: 120n },
    { type: 'EndThreadSpanEvent', thread_span_desc: desc, time: 130n },
    { type: 'BeginAsyncSpanEvent', ...root, time: 140n },
    { type: 'BeginAsyncNamedSpanEvent', ...child, time: 150n },
    { type: 'EndAsyncNamedSpanEvent', ...child, time: 160n },
    { type: 'EndAsyncSpanEvent', ...root, time: 170n },
  ])
  const rows = await api.rows(`spans?process_id=${processId}&order=oldest`)
  expect(
    rows.map(({ kind, name, depth, duration_ns, line }) => [kind, name, depth, duration_ns, line]),
  ).toEqual([
    ['thread', 'parse', 1, '30', 7],
    ['thread', 'built', 2, '10', 8],
    ['async', 'parse', 0, '30', 7],
    ['async', 'fetch', 1, '10', 8],
  ])
})
