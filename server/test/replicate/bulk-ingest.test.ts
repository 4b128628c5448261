import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Binary, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import { encodeCbor } from 'micromegas/wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FlightSQLClient } from '../../../src/query/index.ts'
import { type DecodedBlock, decodeBlock } from '../../../src/telemetry/decode/decoder.ts'
import { encodeMessage, MessageFields } from '../../src/flight/protobuf.ts'
import { RawClient } from '../flight/raw-client.ts'
import { readRecording } from '../sql/recordings.ts'
import { post, startServer, type TestServer, temporaryDirectory } from '../support/server.ts'

const ANY = 'type.googleapis.com/arrow.flight.protocol.sql.'

/** The descriptor of rows for a table, as clients of FlightSQL write it. */
function descriptor(table: string): Buffer {
  const command = encodeMessage([
    [1, `${ANY}CommandStatementIngest`],
    [2, encodeMessage([[2, table]])],
  ])
  return encodeMessage([
    [
      1,
      encodeMessage([
        [1, 2],
        [2, command],
      ]),
    ],
  ])
}

/** What another server answers, as it is. */
async function ask(from: TestServer, sql: string): Promise<readonly Buffer[]> {
  using client = new RawClient(Number(new URL(from.flightUri).port))
  const ticket = encodeMessage([[1, encodeMessage([[1, sql]])]])
  const { messages, status, details } = await client.stream('DoGet', ticket)
  expect({ status, details }).toEqual({ status: 'OK', details: '' })
  return messages
}

/** Sends rows. @returns How many were taken, or the error. */
async function put(
  to: TestServer,
  table: string,
  [first = Buffer.alloc(0), ...rest]: readonly Buffer[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<bigint | string> {
  using client = new RawClient(Number(new URL(to.flightUri).port))
  const { messages, status, details } = await client.put(
    [Buffer.concat([descriptor(table), first]), ...rest],
    metadata,
  )
  if (status !== 'OK') return `${status}: ${details}`
  const result = new MessageFields(messages[0]!).bytes(1)
  return new MessageFields(result!).number(1)!
}

/** The payloads of all blocks of a server, as the reference's `get_payload` gives them. */
function payloads(blocks: readonly DecodedBlock[]): Uint8Array {
  const column = (of: (block: DecodedBlock) => string) => vectorFromArray(blocks.map(of), new Utf8())
  const table = new Table({
    process_id: column(({ processId }) => processId),
    stream_id: column(({ streamId }) => streamId),
    block_id: column(({ blockId }) => blockId),
    payload: vectorFromArray(
      blocks.map(({ dependencies, objects }) => encodeCbor({ dependencies, objects })),
      new Binary(),
    ),
  })
  return tableToIPC(table, 'stream')
}

/** Sends rows by the client of this project. */
async function ingest(
  to: TestServer,
  table: 'blocks' | 'payloads' | 'processes' | 'streams',
  rows: Parameters<FlightSQLClient['bulkIngest']>[1],
): Promise<bigint> {
  await using client = new FlightSQLClient(to.flightUri)
  return (await client.bulkIngest(table, rows)).recordCount
}

const QUESTIONS = [
  'SELECT process_id, exe, username, start_time, start_ticks, properties FROM processes ORDER BY process_id',
  'SELECT stream_id, process_id, tags, properties, objects_metadata FROM streams ORDER BY stream_id',
  'SELECT block_id, begin_time, end_ticks, nb_objects, object_offset, payload_size FROM blocks ORDER BY block_id',
  'SELECT time, level, target, msg, properties FROM log_entries ORDER BY time, msg',
  'SELECT time, name, value, unit, properties FROM measures ORDER BY time, name',
]

let origin: TestServer
const blocks: DecodedBlock[] = []
beforeAll(async () => {
  origin = await startServer()
  for (const { insert, body } of ['shop', 'node'].flatMap((name) => readRecording(name))) {
    expect((await post(origin, insert, body)).status).toBe(200)
    if (insert === 'block') blocks.push(decodeBlock(body))
  }
})
afterAll(() => origin.close())

describe('rows of another server', () => {
  test('are answered as there, whichever half of a block comes first', async () => {
    await using directory = await temporaryDirectory()
    await using server = await startServer({ dataDir: directory.path })
    await using client = new FlightSQLClient(origin.flightUri)
    const copy = async (table: 'blocks' | 'processes' | 'streams'): Promise<void> => {
      expect(await ingest(server, table, client.queryIpc(`SELECT * FROM ${table}`))).toBeGreaterThan(0n)
    }
    await copy('blocks')
    await copy('processes')
    expect(await ingest(server, 'payloads', payloads(blocks))).toBe(BigInt(blocks.length))
    await copy('streams')
    for (const sql of QUESTIONS) {
      const there = await origin.query(sql)
      expect(there.length).toBeGreaterThan(0)
      expect(await server.query(sql)).toEqual(there)
    }
    // Again, in another order: nothing changes, and nothing waits.
    expect(await ingest(server, 'payloads', payloads(blocks))).toBe(BigInt(blocks.length))
    for (const table of ['streams', 'processes', 'blocks'] as const) await copy(table)
    expect(await server.query('SELECT count(*) AS n FROM blocks')).toEqual([{ n: BigInt(blocks.length) }])
    expect(await readdir(join(directory.path, 'halves'))).toEqual([])
  })

  test('wait on disk for the other half, over a restart', async () => {
    await using directory = await temporaryDirectory()
    {
      await using server = await startServer({ dataDir: directory.path })
      expect(await ingest(server, 'payloads', payloads(blocks))).toBe(BigInt(blocks.length))
      expect(await server.query('SELECT count(*) AS n FROM blocks')).toEqual([{ n: 0n }])
    }
    await using server = await startServer({ dataDir: directory.path })
    for (const table of ['processes', 'streams', 'blocks'])
      expect(await put(server, table, await ask(origin, `SELECT * FROM ${table}`))).toBeGreaterThan(0n)
    expect(await server.query(QUESTIONS[3]!)).toEqual(await origin.query(QUESTIONS[3]!))
  })

  test('beyond the room for halves are refused, to be sent again', async () => {
    await using server = await startServer({ maxBytes: 1024 * 1024 })
    const large = blocks.map((block) => ({ ...block, objects: Buffer.alloc(50_000) }))
    await expect(ingest(server, 'payloads', payloads(large))).rejects.toThrow(
      /\d+ of \d+ rows of payloads were not taken, the others were: row \d+: \d+ bytes of blocks and payloads wait for their other half, and no more than 104857 may/,
    )
  })

  test('that cannot have been sent by a service are named, the others are taken', async () => {
    await using server = await startServer()
    const rows = await ask(
      origin,
      "SELECT CASE WHEN exe LIKE '%shop%' THEN 'x' ELSE process_id END AS process_id, exe, username, realname, computer, distro, cpu_brand, tsc_frequency, start_time, start_ticks, parent_process_id, properties FROM processes ORDER BY exe",
    )
    const all = await origin.query('SELECT exe FROM processes')
    const bad = all.filter(({ exe }) => String(exe).includes('shop')).length
    expect(bad).toBeGreaterThan(0)
    expect(bad).toBeLessThan(all.length)
    const answer = await put(server, 'processes', rows)
    expect(answer).toMatch(
      new RegExp(
        `^INVALID_ARGUMENT: ${bad} of ${all.length} rows of processes were not taken, the others were: row \\d: .*process_id`,
      ),
    )
    const taken = await fetch(`${server.url}/api/processes`)
    expect(await taken.json()).toMatchObject({ rows: { length: all.length - bad } })
  })

  test.each([
    [
      'measures',
      'SELECT 1 AS a',
      /^INVALID_ARGUMENT: bulk ingest for table measures not supported: it is for processes, streams, blocks, payloads$/,
    ],
    [
      'payloads',
      'SELECT block_id FROM blocks',
      /^INVALID_ARGUMENT: rows of payloads need the columns process_id, stream_id, payload$/,
    ],
  ])('for %s, of %s, are refused at once', async (table, sql, expected) => {
    await using server = await startServer()
    expect(await put(server, table, await ask(origin, sql))).toMatch(expected)
  })

  test('are for administrators, who cannot be keys', async () => {
    await using server = await startServer({ apiKeys: [{ name: 'ci', key: 'mmk_bulk' }] })
    const rows = await ask(origin, 'SELECT * FROM processes')
    expect(await put(server, 'processes', rows)).toMatch(/^UNAUTHENTICATED/)
    expect(await put(server, 'processes', rows, { authorization: 'Bearer mmk_bulk' })).toBe(
      'PERMISSION_DENIED: bulk_ingest requires admin privileges',
    )
  })

  test('that are no Arrow stream, or for no table, end the call and nothing else', async () => {
    await using server = await startServer()
    expect(await put(server, 'processes', [Buffer.from([0xff, 0xff])])).toMatch(
      /^INVALID_ARGUMENT: Unable to decode/,
    )
    expect(
      await put(server, 'processes', [encodeMessage([[2, Buffer.from('no flatbuffer at all')]])]),
    ).toMatch(/^INVALID_ARGUMENT: the rows are no stream of Arrow messages: /)
    expect(await put(server, 'processes', [])).toMatch(
      /^INVALID_ARGUMENT: the rows are no stream of Arrow messages: /,
    )
    expect(await server.query('SELECT count(*) AS n FROM processes')).toEqual([{ n: 0n }])
  })
})
