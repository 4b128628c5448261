/** What the Rust SDK posted, posted to the server: its read API gives what the Rust crates read in it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TickConverter } from '../../../src/telemetry/decode/tick-converter.ts'
import { type DecodedBlock, type DecodedRecord, parseDecoded } from '../../../test/conformance/decoded.ts'
import { parseRecording, readFixture } from '../../../test/conformance/recording.ts'
import { getJson, send, startServer, type TestServer } from '../support/server.ts'

const rust = parseDecoded(readFixture('rust-sdk.decoded'))
const process = rust.processes[0]!

let server: TestServer
beforeAll(async () => {
  server = await startServer()
  for (const { path, body } of parseRecording(readFixture('rust-sdk.requests'))) {
    const answer = await send(server.url, `/ingestion/${path}`, { method: 'POST', body })
    expect(answer).toMatchObject({ status: 200, text: '' })
  }
  await server.idle()
})
afterAll(() => server.close())

/** The members of an event and of the descriptor it refers to. */
interface Fields {
  readonly type: string
  readonly time: bigint
  readonly target: string
  readonly properties: Readonly<Record<string, string>>
  readonly desc: boolean
  readonly fmt_str: string
  readonly msg: string | undefined
  readonly level: number
  readonly name: string
  readonly unit: string
  readonly value: number | bigint
  readonly file: string
  readonly line: number
  readonly span_id: bigint
  readonly parent_span_id: bigint
  readonly depth: number
  readonly format: string
  readonly data: Uint8Array
}

function fieldsOf({ typeName, members }: DecodedRecord): Fields {
  let fields: object = { properties: {} }
  for (const [name, value] of members) {
    if (typeof value === 'string' || value instanceof Uint8Array) fields = { ...fields, [name]: value }
    else if ('kind' in value) fields = { ...fields, [name]: value.value }
    else if ('typeName' in value) fields = { ...fieldsOf(value), ...fields, desc: true }
    else fields = { ...fields, [name]: Object.fromEntries(value) }
  }
  return { ...fields, type: typeName } as Fields
}

function blocksOf(tag: string): DecodedBlock[] {
  return rust.streams
    .filter(({ tags }) => tags.includes(tag))
    .flatMap(({ streamId }) => rust.blocks.filter((block) => block.streamId === streamId))
}

/** The rows expected of the events of all streams with a tag. The process has no tick frequency: each block gives one. */
function expected(tag: string, columns: (event: Fields, ticks: TickConverter) => object): object[] {
  return blocksOf(tag).flatMap((block) => {
    const ticks = new TickConverter(process, block)
    return block.events.map(fieldsOf).map((event, index) => ({
      time_ns: String(ticks.toNanoseconds(event.time)),
      process_id: process.processId,
      stream_id: block.streamId,
      block_id: block.blockId,
      index,
      exe: process.exe,
      ...columns(event, ticks),
    }))
  })
}

/** All rows of a view, in the order of the recording. */
async function rowsOf(view: string): Promise<Record<string, unknown>[]> {
  const { rows, ...rest } = await getJson(server, `/api/${view}?limit=10000`)
  expect(rest).toMatchObject({ next_cursor: null, unreadable_blocks: 0 })
  const order = rust.blocks.map(({ blockId }) => blockId)
  const place = (row: { block_id: string; index: number }): number =>
    order.indexOf(row.block_id) * 1000 + row.index
  return rows.sort((a: never, b: never) => place(a) - place(b))
}

test('every block is readable, and nothing is reported', async () => {
  const { rows } = await getJson(server, '/api/blocks?state=readable&limit=10000')
  expect(rows.map(({ block_id }: { block_id: string }) => block_id).sort()).toEqual(
    rust.blocks.map(({ blockId }) => blockId).sort(),
  )
  expect(server.reasons()).toEqual([])
})

test('the process', async () => {
  expect(await getJson(server, `/api/processes/${process.processId}`)).toMatchObject({
    exe: process.exe,
    username: process.username,
    realname: process.realname,
    computer: process.computer,
    distro: process.distro,
    cpu_brand: process.cpuBrand,
    tsc_frequency: String(process.tscFrequency),
    start_ticks: String(process.startTicks),
    parent_process_id: process.parentProcessId,
    properties: process.properties,
  })
})

test('log entries', async () => {
  const rendered: Readonly<Record<string, string>> = {
    '{user} fetched {rows} rows': 'ada fetched 3 rows',
    'debug value {debug:?}': 'debug value Some("x")',
  }
  const levels: Readonly<Record<string, number>> = { warning: 3 }
  const rows = expected('log', ({ type, desc, level, target, msg, fmt_str, properties }) => ({
    level: (desc && levels[properties.level ?? '']) || level,
    target: (desc && properties.target) || target,
    msg: type === 'TaggedLogTemplateEvent' ? rendered[fmt_str] : (msg ?? fmt_str),
    properties,
  }))
  expect(rows.length).toBeGreaterThan(50)
  expect(await rowsOf('log_entries')).toMatchObject(rows)
})

test('measures', async () => {
  const rows = expected('metrics', ({ type, name, unit, target, value, properties }, ticks) => {
    const isDuration = type === 'IntegerMetricEvent' && unit === 'ticks'
    const amount = isDuration ? ticks.durationToSeconds(value as bigint) : Number(value)
    return {
      name: properties.name ?? name,
      unit: isDuration ? 'seconds' : (properties.unit ?? unit),
      target,
      value: Number.isFinite(amount) ? amount + 0 : String(amount), // JSON has no sign of zero
      properties,
    }
  })
  expect(rows.length).toBeGreaterThan(30)
  expect(await rowsOf('measures')).toMatchObject(rows)
})

test('images, and their data', async () => {
  const rows = expected('image', ({ name, format, data }) => ({ name, format, payload_size: data.length }))
  expect(rows).toHaveLength(4)
  const found = await rowsOf('images')
  expect(found).toMatchObject(rows)
  const events = blocksOf('image').flatMap(({ events }) => events.map(fieldsOf))
  for (const [index, { data }] of events.entries()) {
    const answer = await fetch(`${server.url}${found[index]!.data}`)
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(data)
  }
})

/** Span events, timed as span views do it: by the latest block of the process. */
function spanEvents() {
  const last = { endTicks: 0n, endTimeMicros: 0n }
  for (const { endTicks, endTimeMicros } of rust.blocks) {
    if (endTicks > last.endTicks) last.endTicks = endTicks
    if (endTimeMicros > last.endTimeMicros) last.endTimeMicros = endTimeMicros
  }
  const ticks = new TickConverter(process, last)
  return blocksOf('cpu').flatMap(({ streamId, objectOffset, events }) =>
    events.map((record, index) => {
      const event = fieldsOf(record)
      const timeNs = String(ticks.toNanoseconds(event.time))
      return { ...event, timeNs, streamId, position: objectOffset + BigInt(index) }
    }),
  )
}

type SpanEvent = ReturnType<typeof spanEvents>[number]

function columnsOf(begin: SpanEvent, end: SpanEvent) {
  const { name, target, file, line } = begin
  const times = { begin_ns: begin.timeNs, end_ns: end.timeNs }
  return { name, target, filename: file, line, ...times, process_id: process.processId, exe: process.exe }
}

interface SpanRow {
  readonly id: string
  readonly stream_id: string | null
  readonly end_ns?: string
}

async function spanRowsOf(kind: 'thread' | 'async'): Promise<SpanRow[]> {
  const { rows, ...rest } = await getJson(server, `/api/spans?kind=${kind}&limit=10000`)
  expect(rest).toEqual({ next_cursor: null, problems: [] })
  return rows.sort(byId)
}

function byId(a: SpanRow, b: SpanRow): number {
  return (a.stream_id ?? '').localeCompare(b.stream_id ?? '') || Number(a.id) - Number(b.id)
}

test('async spans', async () => {
  const events = spanEvents().filter(({ type }) => type.includes('Async'))
  const rows = events
    .filter(({ type }) => type.startsWith('Begin'))
    .map((begin) => ({
      kind: 'async',
      id: String(begin.span_id),
      parent: String(begin.parent_span_id),
      depth: begin.depth,
      stream_id: null,
      ...columnsOf(begin, events.findLast(({ span_id }) => span_id === begin.span_id)!),
    }))
  expect(rows).toHaveLength(24)
  expect(await spanRowsOf('async')).toMatchObject(rows.sort(byId))
})

test('thread spans', async () => {
  const rows: SpanRow[] = []
  const open: SpanEvent[] = []
  for (const event of spanEvents().filter(({ type }) => type.includes('Thread'))) {
    if (event.type.startsWith('Begin')) {
      open.push(event)
      continue
    }
    const begin = open.pop()!
    rows.push({
      kind: 'thread',
      id: String(begin.position),
      parent: String(open.at(-1)?.position ?? -1),
      depth: open.length + 1,
      stream_id: begin.streamId,
      ...columnsOf(begin, event),
    } as SpanRow)
  }
  expect(rows.length).toBeGreaterThan(50)
  expect(await spanRowsOf('thread')).toMatchObject(rows.sort(byId))
})

test('properties of spans', async () => {
  const tagged = spanEvents().filter(({ properties }) => Object.keys(properties).length > 0)
  expect(tagged).toHaveLength(7)
  const rows = [...(await spanRowsOf('thread')), ...(await spanRowsOf('async'))]
  for (const { name, timeNs, properties } of tagged) {
    expect(rows.find((row) => row.end_ns === timeNs)).toMatchObject({ name, properties })
  }
})
