/**
 * Every event type that this SDK records goes the whole way: through `HttpEventSink` to the ingestion server, and comes
 * back equal from the stored bytes, from the read API and from the views.
 */
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type TestServer } from '../../server/test/support/server.ts'
import { initTelemetry } from '../../src/index.ts'
import { decodeHere } from '../conformance/decode-here.ts'
import { eventsByKind } from '../conformance/event-shape.ts'
import type { RecordedRequest } from '../conformance/recording.ts'
import type { ExpectedEvents, ExpectedRecord } from '../conformance/script/expected.ts'
import { recordScript } from '../conformance/script/script.ts'
import { inThisTree } from './support/places.ts'
import { ReadApi, type Row } from './support/read-api.ts'

const KINDS = ['log', 'metrics', 'cpu', 'image'] as const

/** Blocks of several streams arrive in any order. */
function sorted<T>(events: readonly T[]): T[] {
  const textOf = (event: T): string => inspect(event, { sorted: true, depth: Infinity, compact: true })
  return events.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
}

/** Not what the process says of itself: its account, and which tables are full. */
function isOfScript(event: object): boolean {
  const { desc, target } = event as {
    readonly desc?: { readonly target?: unknown }
    readonly target?: unknown
  }
  return desc?.target !== 'micromegas' && target !== 'micromegas'
}

/** Section 6 of the protocol, without what is for other producers: see `foreign-event-types.test.ts`. */
const EVENT_TYPES = [
  'BeginAsyncNamedSpanEvent',
  'BeginAsyncSpanEvent',
  'BeginThreadNamedSpanEvent',
  'BeginThreadSpanEvent',
  'EndAsyncNamedSpanEvent',
  'EndAsyncSpanEvent',
  'EndThreadNamedSpanEvent',
  'EndThreadSpanEvent',
  'FloatMetricEvent',
  'ImageEvent',
  'IntegerMetricEvent',
  'LogStaticStrEvent',
  'LogStringEventV2',
  'LogStringInteropEventV3',
  'TaggedEndAsyncSpanEvent',
  'TaggedEndThreadSpanEvent',
  'TaggedFloatMetricEvent',
  'TaggedIntegerMetricEvent',
  'TaggedLogInteropEvent',
  'TaggedLogString',
]

let server: TestServer
let api: ReadApi
let expected: ExpectedEvents
let processId: string

beforeAll(async () => {
  server = await startServer()
  api = new ReadApi(server)
  const telemetry = initTelemetry({
    telemetryUrl: server.url,
    localSinkEnabled: false,
    systemMetrics: false,
    cpuTracing: true,
    flushPeriodSeconds: 3600, // blocks are sealed where the script says so
    maxLevelOverride: 'trace',
    telemetrySinkMaxLevel: 'trace',
  })
  processId = telemetry.processId
  expected = await recordScript()
  const report = await telemetry.shutdown()
  // Besides the script's events, those of the process's account.
  const { recording } = telemetry.stats
  const recorded = Object.values(recording).reduce((sum, { recorded: count }) => sum + count, 0)
  expect(report.delivered.events).toBe(recorded)
  expect(recorded).toBeGreaterThan(Object.values(expected).flat().length)
  await server.idle()
})
afterAll(() => server.close())

test('every event type is among what was recorded', () => {
  const types = new Set(Object.values(expected).flatMap((events) => events.map(({ type }) => type)))
  expect([...types].sort()).toEqual(EVENT_TYPES)
})

test('the server takes everything, reads every block and finds nothing to complain about', async () => {
  expect(await api.problems()).toEqual([])
  expect(server.reasons()).toEqual([])
  const blocks = await api.rows(`blocks?process_id=${processId}`)
  expect(blocks.map(({ state }) => state)).toEqual(blocks.map(() => 'readable'))
})

test('the bytes that the server keeps hold what was recorded, bit by bit', async () => {
  const requests: RecordedRequest[] = []
  const add = async (kind: 'process' | 'stream' | 'block', id: string) => {
    const body = await server.reader.requestBody(kind, id)
    requests.push({ path: `insert_${kind}`, body: body! })
  }
  await add('process', processId)
  for (const { streamId } of await server.reader.streams(processId)) await add('stream', streamId)
  for (const { blockId } of server.reader.blocks({ processId, limit: 10_000 }).rows)
    await add('block', blockId)
  const stored = decodeHere(requests)
  expect(stored.errors).toEqual([])
  const events = eventsByKind(stored, processId)
  for (const kind of KINDS)
    expect(sorted(events[kind].filter(isOfScript).map(placed))).toEqual(sorted(expected[kind]))
})

test.each(KINDS)('the read API gives every event of the %s stream as it was sent', async (kind) => {
  const events = await api.eventsOf(processId, kind)
  expect(sorted(events.filter(isOfScript).map(placed))).toEqual(sorted(expected[kind].map(asJson)))
})

test.each(KINDS)('events of the %s stream are in order of time, within their block', async (kind) => {
  const { start_ticks } = await api.get(`processes/${processId}`)
  let previous = 0n
  let stream = ''
  for (const block of await api.blocks(processId, kind)) {
    if (block.stream_id !== stream) previous = 0n // spans that are written when they end have a stream of their own
    stream = block.stream_id
    const events = await api.events(block.block_id)
    const times = events.map(({ time }) => (time as bigint) - BigInt(start_ticks))
    for (const time of [BigInt(block.begin_ticks), ...times, BigInt(block.end_ticks)]) {
      expect(time).toBeGreaterThanOrEqual(previous)
      previous = time
    }
  }
})

test('log entries have level, target, message and properties', async () => {
  const rows = (await api.rows('log_entries?order=oldest')).filter(isOfScript)
  expect(rows.map(({ level, target, msg, properties }) => ({ level, target, msg, properties }))).toEqual(
    expected.log.map((event) => {
      const { level, target, fmt_str } = { ...event, ...(event.desc as object) } as Row
      const properties = Object.fromEntries((event.properties ?? []) as [string, string][])
      return { level, target, msg: event.msg ?? fmt_str, properties }
    }),
  )
})

test('measures have name, unit, target, value and properties', async () => {
  const all = await api.rows('measures?order=oldest')
  const rows = all.filter(({ target }) => target !== 'micromegas')
  expect(
    rows.map(({ name, unit, target, value, properties }) => ({ name, unit, target, value, properties })),
  ).toEqual(
    expected.metrics.map((event) => {
      const { name, unit, target } = event.desc as Row
      const properties = Object.fromEntries((event.properties ?? []) as [string, string][])
      return { name, unit, target, value: withoutSign(Number(event.value)), properties }
    }),
  )
})

test('thread spans have their place in the call tree', async () => {
  const open: { id: number; name: unknown }[] = []
  const tree: Row[] = []
  for (const [id, event] of expected.cpu.entries()) {
    const at = (event.thread_span_desc ?? event.thread_span_location) as Row | undefined
    if (at === undefined) continue // async
    if (!event.type.startsWith('Begin')) {
      expect(open.pop()?.name).toBe(event.name ?? at.name)
      continue
    }
    const parent = open.at(-1)?.id ?? -1
    const name = event.name ?? at.name
    tree.push({
      id: String(id),
      parent: String(parent),
      depth: open.length + 1,
      name,
      target: at.target,
      filename: at.file,
    })
    open.push({ id, name })
  }
  const rows = (await api.rows('spans?kind=thread&order=oldest')).sort((a, b) => a.id - b.id)
  expect(rows.map(spanPlace)).toEqual(tree)
  for (const { duration_ns } of rows) expect(BigInt(duration_ns)).toBeGreaterThan(0n)
})

test('async spans have parents and depth, wherever they ended', async () => {
  const begun = expected.cpu.filter(({ type }) => /^BeginAsync/.test(type))
  const rows = (await api.rows('spans?kind=async&order=oldest')).sort((a, b) => a.id - b.id)
  expect(rows.map(spanPlace)).toEqual(
    begun
      .map((event) => {
        const at = (event.span_desc ?? event.span_location) as Row
        return {
          id: String(event.span_id),
          parent: String(event.parent_span_id),
          depth: event.depth,
          name: event.name ?? at.name,
          target: at.target,
          filename: at.file,
        }
      })
      .sort((a, b) => Number(a.id) - Number(b.id)),
  )
  for (const { duration_ns } of rows) expect(BigInt(duration_ns)).toBeGreaterThan(0n)
})

test('images have name, format and every byte', async () => {
  const rows = await api.rows('images?order=oldest')
  expect(rows.map(({ name, format }) => ({ name, format }))).toEqual(
    expected.image.map(({ name, format }) => ({ name, format })),
  )
  for (const [i, { data, payload_size }] of rows.entries()) {
    const response = await fetch(`${server.url}${data}`)
    const bytes = new Uint8Array(await response.arrayBuffer())
    expect(bytes.length).toBe(payload_size)
    expect(bytes).toEqual(expected.image[i]?.data)
  }
})

function spanPlace({ id, parent, depth, name, target, filename }: Row): Row {
  return { id, parent, depth, name, target, filename: inThisTree(filename) }
}

/** What an event says, in the form of the script: without ids and time, this checkout's files under `/app`. */
function placed(event: ExpectedRecord): ExpectedRecord {
  const { id: _id, time: _time, ...rest } = event
  const members = Object.entries(rest).map(([name, value]) => {
    if (name === 'file') return [name, inThisTree(String(value))]
    if (name === 'line' && Number(value) > 0) return [name, 'a line']
    return [name, isRecord(value) ? placed(value) : value]
  })
  return Object.fromEntries(members)
}

function isRecord(value: unknown): value is ExpectedRecord {
  return typeof value === 'object' && value !== null && 'type' in value
}

/** The read API shows the beginning of binary members, and JSON has one zero. */
function asJson(event: ExpectedRecord): ExpectedRecord {
  const members = Object.entries(event).map(([name, value]) => {
    if (typeof value === 'number') return [name, withoutSign(value)]
    if (!(value instanceof Uint8Array)) return [name, value]
    const base64 = Buffer.from(value.subarray(0, 4096)).toString('base64')
    return [name, { length: value.length, base64 }]
  })
  return Object.fromEntries(members)
}

function withoutSign(value: number): number {
  return value === 0 ? 0 : value
}
