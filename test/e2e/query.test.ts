import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type TestServer } from '../../server/test/support/server.ts'
import { initTelemetry, logger, propertySet } from '../../src/index.ts'
import { FlightSQLClient, QueryError, sql } from '../../src/query/index.ts'

let server: TestServer
let client: FlightSQLClient
beforeAll(async () => {
  server = await startServer()
  const telemetry = initTelemetry({ telemetryUrl: server.url, localSinkEnabled: false })
  logger('shop.checkout').info`order ${7} placed`
  logger('shop.checkout').warn('slow', propertySet({ region: 'eu', "o'clock": 'x' }))
  await telemetry.shutdown()
  client = new FlightSQLClient(server.flightUri)
})
afterAll(async () => {
  await client?.close()
  await server?.[Symbol.asyncDispose]()
})

test('what was recorded is found by SQL, exact and decoded', async () => {
  const { rows } = await client.query<{ time: bigint; msg: string; properties: Record<string, string> }>(
    sql`select time, level, msg, properties from log_entries where target = ${'shop.checkout'} order by time`,
    { begin: '1h' },
  )
  expect(rows.map(({ time: _, ...row }) => row)).toEqual([
    { level: 4, msg: 'order 7 placed', properties: {} },
    { level: 3, msg: 'slow', properties: { region: 'eu', "o'clock": 'x' } },
  ])
  expect(typeof rows[0]!.time).toBe('bigint')
  expect(
    await client.query(sql`select msg from log_entries where msg = ${"x' OR 1=1 --"}`, { begin: '1h' }),
  ).toMatchObject({
    numRows: 0,
  })
})

test('a range that lies elsewhere finds nothing', async () => {
  expect((await client.query('select msg from log_entries', { begin: '2d', end: '1d' })).numRows).toBe(0)
})

test('the process is found by its id, and so are its streams', async () => {
  const [{ process_id }] = (
    await client.query<{ process_id: string }>('select process_id from processes', { begin: '1h' })
  ).rows as [{ process_id: string }]
  expect(await client.findProcess(process_id)).toMatchObject({ process_id, tsc_frequency: 1_000_000_000n })
  expect(await client.findProcess('00000000-0000-4000-8000-000000000001')).toBeUndefined()
  const { rows } = await client.queryStreams({ processId: process_id, tag: 'log', begin: '1h' })
  expect(rows.map((row) => row.tags.includes('log'))).toEqual([true])
  expect((await client.queryBlocks(rows[0]!.stream_id, { begin: '1h' })).rows[0]).toMatchObject({
    nb_objects: 2,
  })
})

test('a mistake is told with its place', async () => {
  const failure = await client.query('select nope\nfrom log_entries', { begin: '1h' }).catch((error) => error)
  expect(failure).toBeInstanceOf(QueryError)
  expect(failure).toMatchObject({
    code: 'INVALID_ARGUMENT',
    line: 1,
    column: 8,
    queryId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
})

test('a statement is prepared, and partitions are listed', async () => {
  const { schema } = await client.prepareStatement('select time, level from log_entries')
  expect(schema.fields.map((field) => field.typeName)).toEqual(['timestamp[ns, tz=+00:00]', 'int32'])
  const names = (await client.listPartitions()).rows.map((partition) => partition.view_set_name)
  expect(names).toContain('log_entries')
})
