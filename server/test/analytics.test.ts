import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { FlightSQLClient } from '../../src/query/index.ts'
import { readRecording } from './sql/recordings.ts'
import { post, startServer, type TestServer } from './support/server.ts'

const KEYS = [{ name: 'ci', key: 'mmk_analytics' }]
const RANGE = { begin: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z' }

async function send(server: TestServer, name: string, key?: string): Promise<void> {
  for (const { insert, body } of readRecording(name)) {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const { status } = await post(server, insert, body, headers)
    expect(status).toBe(200)
  }
}

test('what was posted is answered by SQL, in code, over FlightSQL and over the gateway, also what comes later', async () => {
  await using server = await startServer()
  await send(server, 'shop')
  const sql = "select count(*) as n from log_entries where target like 'shop%'"
  expect(await server.query(sql)).toEqual([{ n: 395n }])

  await using client = new FlightSQLClient(server.flightUri)
  expect((await client.query(sql, RANGE)).rows).toEqual([{ n: 395n }])

  await send(server, 'node')
  const processes = 'select count(*) as n from processes'
  expect(await server.query(processes)).toEqual([{ n: 3n }])
  expect((await client.query(processes)).rows).toEqual([{ n: 3n }])

  const response = await fetch(`${server.url}/gateway/query`, {
    method: 'POST',
    body: JSON.stringify({
      sql: "select time, msg, properties from log_entries where msg = 'slow' order by time limit 1",
      time_range_begin: RANGE.begin,
      time_range_end: RANGE.end,
    }),
  })
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual([
    { time: expect.stringMatching(/^2026-11-25T.*Z$/), msg: 'slow', properties: expect.anything() },
  ])
})

test('a trace of a process is written for Perfetto', async () => {
  await using server = await startServer()
  await send(server, 'shop')
  const rows = await server.query(
    "select chunk_data from perfetto_trace_chunks('c71f39d4-bcdc-4731-8158-574ae644f10d', 'both', TIMESTAMP '2026-11-01T00:00:00Z', TIMESTAMP '2026-12-01T00:00:00.123456789Z')",
  )
  expect(rows.length).toBeGreaterThan(0)
  expect(rows[0]!.chunk_data).toBeInstanceOf(Uint8Array)
})

test('a process that is deleted is no longer answered', async () => {
  await using server = await startServer()
  await send(server, 'shop')
  const [first] = await server.query('select process_id from processes order by start_time limit 1')
  const deleted = await fetch(`${server.url}/api/processes/${String(first!.process_id)}`, {
    method: 'DELETE',
  })
  expect(deleted.status).toBe(200)
  expect(await server.query('select count(*) as n from processes')).toEqual([{ n: 1n }])
})

test('FlightSQL and the gateway want the same credentials as the rest', async () => {
  await using server = await startServer({ apiKeys: KEYS })
  await send(server, 'shop', 'mmk_analytics')
  await using stranger = new FlightSQLClient(server.flightUri)
  await expect(stranger.query('select 1')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await using wrong = new FlightSQLClient(server.flightUri, { apiKey: 'mmk_wrong' })
  await expect(wrong.query('select 1')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await using client = new FlightSQLClient(server.flightUri, { apiKey: 'mmk_analytics' })
  expect((await client.query('select count(*) as n from processes')).rows).toEqual([{ n: 2n }])
  // Keys are never administrators.
  await expect(
    client.query("select * from retire_partitions('log_entries', 'global', now(), now())"),
  ).rejects.toThrow()

  const body = JSON.stringify({ sql: 'select 1 as x' })
  const gateway = (headers: Record<string, string>) =>
    fetch(`${server.url}/gateway/query`, { method: 'POST', body, headers })
  expect((await gateway({})).status).toBe(401)
  expect(await (await gateway({ authorization: 'Bearer mmk_analytics' })).json()).toEqual([{ x: 1 }])
})

test('each query leaves an audit line', async () => {
  await using server = await startServer()
  await using client = new FlightSQLClient(server.flightUri)
  await client.query('select 1 as x')
  await expect(client.query('select nope')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    line: 1,
    column: 8,
  })
  const audits = server.events.filter(({ type }) => type === 'query')
  expect(audits).toMatchObject([
    { sql: 'select 1 as x', user: 'anonymous', rows: 1, error: undefined },
    { sql: 'select nope', rows: 0, error: 'INVALID_ARGUMENT' },
  ])
})

test.each([
  ['{', 'sql'],
  ['{"sql":""}', 'empty'],
  ['{"sql":"select 1","time_range_begin":"2026-01-01T00:00:00Z"}', 'both or neither'],
  ['{"sql":"select nope"}', 'No field named nope'],
])('the gateway answers %s with 400 and a reason', async (body, reason) => {
  await using server = await startServer()
  const response = await fetch(`${server.url}/gateway/query`, { method: 'POST', body })
  expect(response.status).toBe(400)
  expect(await response.text()).toContain(reason)
})

test('FlightSQL takes the credentials for answering questions, not those for taking telemetry', async () => {
  await using server = await startServer({
    ingestion: { apiKeys: [{ name: 'service', key: 'mmk_service' }] },
    analytics: { apiKeys: KEYS },
    disableAuth: false,
  })
  await send(server, 'shop', 'mmk_service')
  await using sender = new FlightSQLClient(server.flightUri, { apiKey: 'mmk_service' })
  await expect(sender.query('select 1')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await using reader = new FlightSQLClient(server.flightUri, { apiKey: 'mmk_analytics' })
  expect((await reader.query('select count(*) as n from processes')).rows).toEqual([{ n: 2n }])
})

test('callers are administrators over FlightSQL too where the operator says so', async () => {
  await using server = await startServer({ apiKeys: KEYS, callersAreAdmins: true })
  await using client = new FlightSQLClient(server.flightUri, { apiKey: 'mmk_analytics' })
  const sql = "select * from retire_partitions('log_entries', 'global', now(), now())"
  await expect(client.query(sql)).resolves.toBeDefined()
})

test('the gateway reads no more of a body than a question can have', async () => {
  await using server = await startServer()
  const ask = (body: string | Buffer) =>
    fetch(`${server.url}/gateway/query`, { method: 'POST', body }).then(({ status }) => status)
  expect(await ask(Buffer.alloc(9 * 1024 * 1024, 'x'))).toBe(413)
  expect(await ask('')).toBe(400)
  expect(await ask('[')).toBe(400)
  expect(await ask(JSON.stringify({ sql: `select '${'x'.repeat(1024 * 1024)}'` }))).toBe(400)
  expect(await ask(JSON.stringify({ sql: `select '${'é'.repeat(100_000)}' as x` }))).toBe(200)
})

test('connections of FlightSQL are bounded; a port that is taken is a clear error', async () => {
  await using server = await startServer({ maxConnections: 3 })
  const port = Number(new URL(server.flightUri.replace('grpc', 'http')).port)
  const sockets = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await expect.poll(() => sockets.filter(({ closed }) => closed).length).toBe(5)
  expect(server.reasons()).toEqual([
    'all 3 connections of FlightSQL are in use: new ones are turned away (option maxConnections)',
  ])
  for (const socket of sockets) socket.destroy()
  await expect
    .poll(
      async () => {
        await using client = new FlightSQLClient(server.flightUri)
        return await client.query('select 1 as x').then(({ rows }) => rows, String)
      },
      { timeout: 15_000 },
    )
    .toEqual([{ x: 1n }])
  await expect(startServer({ flightPort: port })).rejects.toMatchObject({
    code: 'ERR_TELEMETRY_CONFIG',
    message: `Cannot listen on 127.0.0.1:${port}: the port is taken; choose another one with --flight-port (option flightPort)`,
  })
})
