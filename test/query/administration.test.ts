import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { Binary, Int32, Table, tableFromArrays, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { assembleMessage, splitStream } from '../../src/query/arrow/ipc-message.ts'
import { flightData, readFlightData } from '../../src/query/flight/flight-messages.ts'
import { MessageFields } from '../../src/query/flight/protobuf.ts'
import { FlightSQLClient, writeProcessTrace } from '../../src/query/index.ts'
import { answer, failure, startFlightServer } from './support/flight-server.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'micromegas-query-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface Asked {
  readonly sql: string
  readonly range: readonly [unknown, unknown]
}

/** Answers each SQL with a table of apache-arrow, and keeps what was asked. */
async function startSqlServer(answers: (sql: string) => Table) {
  const asked: Asked[] = []
  const server = await startFlightServer({
    doGet(call) {
      const any = new MessageFields(new MessageFields(call.request).bytes(1))
      const sql = new MessageFields(any.bytes(2)).text(1)
      const metadata = call.metadata.getMap()
      asked.push({ sql, range: [metadata.query_range_begin, metadata.query_range_end] })
      const messages = [...splitStream(tableToIPC(answers(sql), 'stream'))]
      return answer(
        call,
        messages.map((message) => flightData(message)),
      )
    },
  })
  return { ...server, asked }
}

const progress = (...msgs: string[]): Table =>
  tableFromArrays({ time: BigInt64Array.from(msgs, (_, i) => BigInt(i)), msg: msgs })

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

test('administrative calls ask by SQL with every value quoted, and give the progress as it comes', async () => {
  await using server = await startSqlServer(() => progress('one', 'two'))
  await using client = new FlightSQLClient(server.uri, { int64: 'string' })
  const [begin, end] = ['2026-11-25T22:00:00Z', new Date('2026-11-25T23:00:00Z')] as const
  const expected = [
    { time: 0n, msg: 'one' },
    { time: 1n, msg: 'two' },
  ]
  expect(await all(client.retirePartitions("log'entries", 'global', begin, end))).toEqual(expected)
  expect(await all(client.materializePartitions('blocks', begin, end, 3600))).toEqual(expected)
  expect(await all(client.regeneratePartitions('blocks', begin, end, 86_400))).toEqual(expected)
  expect(server.asked.map(({ sql }) => sql)).toEqual([
    "SELECT time, msg FROM retire_partitions('log''entries', 'global', '2026-11-25T22:00:00Z', '2026-11-25T23:00:00Z')",
    "SELECT time, msg FROM materialize_partitions('blocks', '2026-11-25T22:00:00Z', '2026-11-25T23:00:00Z', 3600)",
    "SELECT time, msg FROM regenerate_partitions('blocks', '2026-11-25T22:00:00Z', '2026-11-25T23:00:00Z', 86400)",
  ])
})

test('administrative calls refuse what cannot be meant, before anything is asked', async () => {
  await using client = new FlightSQLClient('grpc://127.0.0.1:1')
  expect(() => client.materializePartitions('blocks', '1h', '0s', 0)).toThrow(RangeError)
  expect(() => client.materializePartitions('blocks', '1h', '0s', 1.5)).toThrow(RangeError)
  expect(() => client.retirePartitions('blocks', 'global', '1h', '2h')).toThrow(RangeError)
  expect(() => client.retirePartitions('blocks', 'global', 'then', '2h')).toThrow(TypeError)
})

test('what is known of processes, streams, blocks, spans and partitions is asked for by id, quoted', async () => {
  await using server = await startSqlServer((sql) =>
    tableFromArrays({ process_id: sql.includes('none') ? [] : ['p'] }),
  )
  await using client = new FlightSQLClient(server.uri)
  expect(await client.findProcess('p')).toEqual({ process_id: 'p' })
  expect(await client.findProcess('none')).toBeUndefined()
  const range = { begin: '2026-11-25T22:00:00Z', end: '2026-11-25T23:00:00Z' }
  await client.queryStreams()
  await client.queryStreams({ processId: "x' OR 1=1 --", tag: 'cpu', range })
  await client.queryBlocks('s', { range })
  await client.querySpans('s', range)
  await client.listPartitions()
  await client.listPartitions({ viewSetName: 'blocks' })
  const both = [range.begin, range.end]
  const none = [undefined, undefined]
  expect(server.asked.map(({ sql, range }) => [sql, range])).toEqual([
    ["SELECT * FROM processes WHERE process_id = 'p'", none],
    ["SELECT * FROM processes WHERE process_id = 'none'", none],
    ['SELECT * FROM streams', none],
    ["SELECT * FROM streams WHERE process_id = 'x'' OR 1=1 --' AND array_has(tags, 'cpu')", both],
    ["SELECT * FROM blocks WHERE stream_id = 's'", both],
    ["SELECT * FROM view_instance('thread_spans', 's')", both],
    ['SELECT * FROM list_partitions()', none],
    ["SELECT * FROM list_partitions() WHERE view_set_name = 'blocks'", none],
  ])
})

function chunks(...parts: readonly [number, string][]): Table {
  return new Table({
    chunk_id: vectorFromArray(
      parts.map(([id]) => id),
      new Int32(),
    ),
    chunk_data: vectorFromArray(
      parts.map(([, text]) => Buffer.from(text)),
      new Binary(),
    ),
  })
}

test('a trace is written to its file whole, with the range of all blocks when none is given', async () => {
  const times = tableFromArrays({
    first_time: BigInt64Array.of(1_000n),
    last_time: BigInt64Array.of(2_000_000_000n),
  })
  await using server = await startSqlServer((sql) =>
    sql.includes('FROM blocks') ? times : chunks([0, 'per'], [1, 'fetto']),
  )
  await using client = new FlightSQLClient(server.uri)
  const file = join(folder, 'trace.perfetto')
  const seen: number[] = []
  const trace = await client.writeProcessTrace('p', file, { onProgress: ({ bytes }) => seen.push(bytes) })
  expect([trace, seen]).toEqual([{ chunks: 2, bytes: 8 }, [3, 8]])
  expect(await readFile(file, 'utf8')).toBe('perfetto')
  expect(await readdir(folder)).toEqual(['trace.perfetto'])
  expect(server.asked[1]).toEqual({
    sql: "SELECT chunk_id, chunk_data FROM perfetto_trace_chunks('p', 'both', TIMESTAMP '1970-01-01T00:00:00.000001Z', TIMESTAMP '1970-01-01T00:00:02Z')",
    range: ['1970-01-01T00:00:00.000001Z', '1970-01-01T00:00:02Z'],
  })
  await writeProcessTrace(client, 'p', file, { range: { begin: '1h' }, spans: 'async' })
  expect(server.asked[2]!.sql).toMatch(/'p', 'async', TIMESTAMP/)
  for (const [logs, metrics, ending] of [
    [true, false, ", 'logs')"],
    [false, true, ", 'metrics')"],
    [false, false, ", 'none')"],
    [true, true, "Z')"],
  ] as const) {
    await writeProcessTrace(client, 'p', file, { range: { begin: '1h' }, logs, metrics })
    expect(server.asked.at(-1)!.sql.endsWith(ending)).toBe(true)
  }
})

test.each([
  ['a chunk is missing', () => chunks([0, 'per'], [2, 'to']), 'DATA_LOSS'],
  ['there are no spans', () => chunks(), 'NOT_FOUND'],
])('when %s, the file stays as it was', async (_, answers, code) => {
  await using server = await startSqlServer(answers)
  await using client = new FlightSQLClient(server.uri)
  const file = join(folder, 'trace.perfetto')
  await writeFile(file, 'before')
  await expect(client.writeProcessTrace('p', file, { range: { begin: '1h' } })).rejects.toMatchObject({
    code,
  })
  expect([await readFile(file, 'utf8'), await readdir(folder)]).toEqual(['before', ['trace.perfetto']])
})

test('a process without data has no trace', async () => {
  const nothing = new Table({
    first_time: vectorFromArray([null], new Utf8()),
    last_time: vectorFromArray([null], new Utf8()),
  })
  await using server = await startSqlServer(() => nothing)
  await using client = new FlightSQLClient(server.uri)
  await expect(client.writeProcessTrace('p', join(folder, 'x'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await readdir(folder)).toEqual([])
})

const rows = tableToIPC(tableFromArrays({ process_id: ['a', 'b'], exe: ['x', 'y'] }), 'stream')

/** Takes uploads and keeps their messages. */
async function startIngestServer(recordCount: number | undefined) {
  const received: Buffer[] = []
  const server = await startFlightServer({
    async doPut(call) {
      // Not by iteration, which destroys the call when its requests are over.
      call.on('data', (message: Buffer) => received.push(message))
      await once(call, 'end')
      if (recordCount !== undefined) call.write(Buffer.from([0x0a, 2, 0x08, recordCount]))
      call.end()
    },
  })
  return { ...server, received }
}

test.each([
  ['whole', rows],
  [
    'in pieces of seven bytes',
    Array.from({ length: Math.ceil(rows.length / 7) }, (_, i) => rows.subarray(i * 7, i * 7 + 7)),
  ],
  [
    'without the end mark, as a stream',
    (async function* () {
      yield rows.subarray(0, -8)
    })(),
  ],
])('rows are ingested %s', async (_, data) => {
  await using server = await startIngestServer(2)
  await using client = new FlightSQLClient(server.uri)
  expect(await client.bulkIngest('processes', data)).toEqual({ recordCount: 2n })
  const [first] = server.received
  expect(server.received).toHaveLength(4) // the schema, a dictionary for each column, the rows
  const descriptor = new MessageFields(new MessageFields(first!).bytes(1))
  const any = new MessageFields(descriptor.bytes(2))
  expect(descriptor.number(1)).toBe(2n)
  expect(any.text(1)).toBe('type.googleapis.com/arrow.flight.protocol.sql.CommandStatementIngest')
  expect(new MessageFields(any.bytes(2)).text(2)).toBe('processes')
  const messages = server.received.map((message) => {
    const { header, body } = readFlightData(message)!
    return assembleMessage(header, body).bytes
  })
  expect(Buffer.concat(messages).equals(rows.subarray(0, -8))).toBe(true)
})

test.each([
  ['no bytes', new Uint8Array()],
  ['an Arrow file', tableToIPC(tableFromArrays({ a: [1] }), 'file')],
  ['a stream that is cut off', rows.subarray(0, rows.length - 30)],
  ['text', 'rows' as never],
])('%s cannot be ingested', async (_, data) => {
  await using server = await startIngestServer(0)
  await using client = new FlightSQLClient(server.uri)
  await expect(client.bulkIngest('processes', data)).rejects.toThrow(TypeError)
})

test('who may not ingest is told so, and a count that does not come is an error', async () => {
  await using refusing = await startFlightServer({
    doPut() {
      throw failure(status.PERMISSION_DENIED, 'bulk_ingest requires admin privileges')
    },
  })
  await using client = new FlightSQLClient(refusing.uri)
  await expect(client.bulkIngest('processes', rows)).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    message: 'Cannot ingest into processes: bulk_ingest requires admin privileges',
  })
  await using silent = await startIngestServer(undefined)
  await using other = new FlightSQLClient(silent.uri)
  await expect(other.bulkIngest('processes', rows)).rejects.toMatchObject({ code: 'DATA_LOSS' })
})

test('an upload ends with the signal, and with an error of its source', async () => {
  await using server = await startIngestServer(0)
  await using client = new FlightSQLClient(server.uri)
  const abort = new AbortController()
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield rows.subarray(0, 200)
    abort.abort(new Error('enough'))
    await new Promise(() => {})
  }
  await expect(client.bulkIngest('blocks', slow(), { signal: abort.signal })).rejects.toThrow('enough')
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield rows.subarray(0, 200)
    throw new Error('disk on fire')
  }
  await expect(client.bulkIngest('blocks', broken())).rejects.toThrow('disk on fire')
})
