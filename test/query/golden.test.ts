import { readFileSync } from 'node:fs'
import { tableFromIPC } from 'apache-arrow'
import { expect, test } from 'vitest'
import { FlightSQLClient, type QueryOptions } from '../../src/query/index.ts'
import { type GoldenCall, goldenCall, goldenCalls, startReplayServer } from './support/flight-server.ts'

interface GoldenQuery {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly unknown[])[]
  readonly error?: string
}
const goldenQueries: readonly GoldenQuery[] = JSON.parse(
  readFileSync(new URL('../fixtures/golden/queries.json', import.meta.url), 'utf8'),
)
const goldenQuery = (name: string): GoldenQuery => goldenQueries.find((query) => query.name === name)!

function optionsOf(call: GoldenCall): QueryOptions {
  const { query_range_begin: begin, query_range_end: end, limit, preserve_dictionary } = call.metadata
  return {
    begin,
    end,
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    preserveDictionary: preserve_dictionary === 'true',
  }
}

/** The recorded messages as an IPC stream, put together without the code under test. */
function recordedIpc(call: GoldenCall): Buffer {
  const parts = call.messages.map((message) => {
    const bytes = Buffer.from(message, 'base64')
    const parts: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const tag = varint(bytes, at)
      const length = varint(bytes, tag.end)
      const value = bytes.subarray(length.end, length.end + length.value)
      if (tag.value === (2 << 3) + 2) {
        // The stream format wants metadata in multiples of 8 bytes, which Flight does not.
        const padding = Buffer.alloc((8 - (value.length % 8)) % 8)
        const prefix = Buffer.alloc(8, 0xff)
        prefix.writeInt32LE(value.length + padding.length, 4)
        parts.unshift(prefix, value, padding)
      } else parts.push(value)
      at = length.end + length.value
    }
    return Buffer.concat(parts)
  })
  return Buffer.concat([...parts, Buffer.from('ffffffff00000000', 'hex')])
}

function varint(bytes: Buffer, at: number): { readonly value: number; readonly end: number } {
  let [value, shift, end] = [0, 0, at]
  for (; ; shift += 7) {
    const byte = bytes[end++]!
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value, end }
  }
}

const answered = goldenCalls.filter((call) => call.rpc === 'DoGet' && call.status === 'OK')

test.each(answered.map((call) => [call.name, call] as const))(
  'the recorded answer %s comes byte for byte as an IPC stream, which apache-arrow reads',
  async (_, call) => {
    await using server = await startReplayServer()
    await using client = new FlightSQLClient(server.uri)
    const chunks: Uint8Array[] = []
    for await (const chunk of client.queryIpc(call.sql, optionsOf(call))) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString('hex')).toBe(recordedIpc(call).toString('hex'))
    const result = await client.query(call.sql, optionsOf(call))
    expect(Buffer.from(result.toIPC()).equals(Buffer.concat(chunks))).toBe(true)
    expect(tableFromIPC(chunks).numRows).toBe(result.numRows)
    const table = await client.queryArrow(call.sql, optionsOf(call))
    expect(table.numRows).toBe(result.numRows)
    for await (const batch of client.queryStream(call.sql, optionsOf(call))) {
      expect(tableFromIPC(batch.toIPC()).numRows).toBe(batch.numRows)
    }
  },
)

test('times are exact to the nanosecond, and come as text or Date when asked for', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const call = goldenCall('plain')
  const [first] = (await client.query(call.sql, optionsOf(call))).rows
  expect(first).toEqual({
    time: 1_795_649_908_092_622_626n,
    target: 'shop.checkout',
    level: 4,
    msg: 'worker ready',
  })
  const [text] = (await client.query(call.sql, { ...optionsOf(call), timestamps: 'string' })).rows
  expect(text!.time).toBe('2026-11-25T23:38:28.092622626Z')
  const [date] = (await client.query(call.sql, { ...optionsOf(call), timestamps: 'date' })).rows
  expect(date!.time).toEqual(new Date('2026-11-25T23:38:28.092Z'))
})

test('dictionary-encoded columns have the values of plain ones, JSONB included', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const [plain, encoded] = [goldenCall('plain'), goldenCall('dictionaries')]
  const expected = (await client.query(plain.sql, optionsOf(plain))).rows
  const result = await client.query(encoded.sql, optionsOf(encoded))
  expect(result.schema.fields.map((field) => field.typeName)).toEqual([
    'dictionary<values=string, indices=int32, ordered=0>',
    'int32',
    'string',
    'dictionary<values=binary, indices=int32, ordered=0>',
  ])
  expect(result.rows).toEqual(
    expected.map(({ time: _, ...row }, i) => ({ ...row, properties: result.rows[i]!.properties })),
  )
  expect(result.rows.map((row) => row.properties)).toContainEqual({ attempt: '0', order: '0', region: 'eu' })
})

test('all batches of a long result come, in order', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const call = goldenCall('many-batches')
  const sizes: number[] = []
  for await (const batch of client.queryStream(call.sql, optionsOf(call))) sizes.push(batch.numRows)
  expect(sizes).toEqual(Array(40).fill(100))
  let row = 0
  for await (const { a, b, s } of client.queryRows(call.sql, optionsOf(call))) {
    expect([a, b, s]).toEqual([BigInt(Math.floor(row / 100) + 1), BigInt((row % 100) + 1), `row ${a}`])
    row++
  }
  expect(row).toBe(4000)
})

test('nested values are those that the other SQL gives', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const call = goldenCall('nested')
  const result = await client.query(call.sql, optionsOf(call))
  const expected = goldenQuery('log-array-agg')
  expect(result.schema.fields[0]!.typeName).toBe(expected.columns[1]!.type)
  expect(result.rows.map((row) => row.l)).toEqual(expected.rows.map((row) => row[1]))
  expect(result.rows[1]!.h).toEqual({
    start: 0,
    end: 250,
    min: 2,
    max: 2,
    sum: 26,
    sum_sq: 52,
    count: 13n,
    bins: [13n, 0n, 0n, 0n, 0n],
  })
})

test('JSONB properties come decoded, with the values that SQL finds in them', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const call = goldenCall('binary')
  type LogRow = { properties: Record<string, string>; process_properties: Record<string, string> }
  const { rows } = await client.query<LogRow>(call.sql, optionsOf(call))
  expect(rows).toHaveLength(15)
  expect(rows.slice(0, 6).map((row) => row.properties.region)).toEqual(
    goldenQuery('log-jsonb-get').rows.map((row) => row[0]),
  )
  expect(rows[0]!.process_properties).toMatchObject({
    cluster: 'prod',
    role: 'shop',
    node_version: 'v20.20.2',
  })
  const raw = await client.query<{ properties: Uint8Array }>(call.sql, { ...optionsOf(call), jsonb: false })
  expect(raw.rows[0]!.properties).toBeInstanceOf(Uint8Array)
})

test('each type comes as its own kind of value, nulls as null', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const call = goldenCall('nulls-and-types')
  const result = await client.query(call.sql, optionsOf(call))
  expect(result.rows).toEqual([
    {
      n: null,
      b: true,
      f: 1.5,
      i8: 3,
      i64: -1n,
      d: '2026-11-25',
      iv: { months: 0, days: 1, nanoseconds: 7_200_000_000_000n },
      de: '1.250',
      s: 'é€😀',
      t: 1_795_649_908_123_456_789n,
    },
  ])
  const [row] = (await client.query(call.sql, { ...optionsOf(call), int64: 'number', timestamps: 'string' }))
    .rows
  expect(row).toMatchObject({
    i64: -1,
    iv: { nanoseconds: 7_200_000_000_000 },
    t: '2026-11-25T23:38:28.123456789',
  })
})

test('an image comes as its bytes', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const call = goldenCall('image')
  const { rows } = await client.query<{ name: string; data: Uint8Array }>(call.sql, optionsOf(call))
  const [, name, , , hex] = goldenQuery('images').rows[0]!
  expect(rows.map((row) => [row.name, Buffer.from(row.data).toString('hex')])).toEqual([[name, hex]])
})

test('an empty result has its columns and no rows', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const call = goldenCall('empty')
  const result = await client.query(call.sql, optionsOf(call))
  expect([result.numRows, result.rows, result.batches]).toEqual([0, [], []])
  expect(result.schema.fields.map(({ name, typeName }) => [name, typeName])).toEqual([
    ['time', 'timestamp[ns, tz=+00:00]'],
    ['msg', 'string'],
  ])
  await using stream = client.queryStream(call.sql, optionsOf(call))
  expect((await stream.schema).fields).toHaveLength(2)
})

test('the limit goes to the server', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const call = goldenCall('limit-header')
  expect((await client.query(call.sql, optionsOf(call))).numRows).toBe(3)
})

test('a statement is prepared without running it', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const call = goldenCall('prepare')
  const statement = await client.prepareStatement(call.sql)
  expect(statement.query).toBe(call.sql)
  expect(statement.schema.fields.map(({ name, typeName }) => `${name}: ${typeName}`)).toEqual([
    'time: timestamp[ns, tz=+00:00]',
    'level: int32',
    'msg: string',
    'properties: dictionary<values=binary, indices=int32, ordered=0>',
  ])
})

test.each(['bad-column', 'prepare-bad'])(
  '%s: the error says what, where and in which query',
  async (name) => {
    await using server = await startReplayServer()
    await using client = new FlightSQLClient(server.uri)
    const call = goldenCall(name)
    const asked =
      call.rpc === 'DoGet' ? client.query(call.sql, optionsOf(call)) : client.prepareStatement(call.sql)
    await expect(asked).rejects.toMatchObject({
      name: 'QueryError',
      code: 'INVALID_ARGUMENT',
      details: call.details,
      line: 1,
      column: 8,
      queryId: /query_id=(.*)\)/.exec(call.details)![1],
      message: expect.stringMatching(
        /^Cannot (run the query|prepare the statement): error building dataframe: Schema error: No field named nope\./,
      ),
    })
    // The recording of the other SQL's answer keeps the first 400 characters of an error.
    expect(goldenQuery('error-column').error).toContain(call.details.slice(0, 250))
  },
)

test('an error in the middle of an answer ends it: its columns are known, and the error says why', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const call = goldenCall('error-while-streaming')
  const error = {
    name: 'QueryError',
    code: 'INTERNAL',
    details: call.details,
    queryId: 'b8841c72-16c8-4730-8b07-0665cb128369',
    message: `Cannot run the query: ${call.details}`,
  }
  await expect(client.query(call.sql, optionsOf(call))).rejects.toMatchObject(error)
  const stream = client.queryStream(call.sql, optionsOf(call))
  expect((await stream.schema).fields.map(({ name, typeName }) => [name, typeName])).toEqual([['x', 'int64']])
  const rows: unknown[] = []
  const read = async (): Promise<void> => {
    for await (const batch of stream) rows.push(batch)
  }
  await expect(read()).rejects.toMatchObject(error)
  expect(rows).toEqual([])
})

test('a range that servers would not understand does not get there', async () => {
  await using server = await startReplayServer()
  await using client = new FlightSQLClient(server.uri)
  const call = goldenCall('bad-range')
  await expect(client.query(call.sql, optionsOf(call))).rejects.toThrow(TypeError)
  // What the server says of it, for clients that let it through.
  const headers = { query_range_begin: 'yesterday', query_range_end: call.metadata.query_range_end! }
  await expect(client.query(call.sql, { headers })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    details: call.details,
    queryId: undefined,
  })
})
