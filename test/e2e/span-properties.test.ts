import { expect, test } from 'vitest'
import { startServer } from '../../server/src/index.ts'
import { logger } from '../../src/tracing/logs/logger.ts'
import { asyncSpan, beginAsyncSpan, span } from '../../src/tracing/spans/span.ts'
import { startTelemetry } from '../support/telemetry-service.ts'

const MINUTE_NS = 60_000_000_000n

test('properties, final names and failures of spans are answered by SQL', async () => {
  await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  const nowNs = BigInt(Date.now()) * 1_000_000n
  const range = { beginNs: nowNs - MINUTE_NS, endNs: nowNs + MINUTE_NS }
  const telemetry = startTelemetry(server.url)
  await asyncSpan('GET', async (request) => {
    await asyncSpan('query', { properties: { table: 'users' } }, async () => {
      span('parse', { properties: { bytes: 12 } }, () => {})
    })
    request.rename('GET /users/:id', 'http').set({ status: 200 })
  })
  await asyncSpan('pay', () => Promise.reject(new TypeError('no card'))).catch(() => {})
  beginAsyncSpan('poll', { late: true })
  await telemetry.shutdown()
  const [process_] = await server.query('select process_id from processes')
  const rows = await server.query(
    `select name, depth, properties from process_spans('${String(process_!.process_id)}', 'both') where id > 0 order by begin`,
    { range },
  )
  expect(rows).toEqual([
    { name: 'GET /users/:id', depth: 0, properties: { status: '200' } },
    { name: 'query', depth: 1, properties: { table: 'users' } },
    { name: 'parse', depth: 1, properties: { bytes: '12' } },
    { name: 'pay', depth: 0, properties: { 'error.type': 'TypeError', 'exception.message': 'no card' } },
    { name: 'poll', depth: 0, properties: { 'span.unfinished': 'true' } },
  ])
})

test('logs are joined to the spans they were recorded in, and to their trace', async () => {
  await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  const nowNs = BigInt(Date.now()) * 1_000_000n
  const range = { beginNs: nowNs - MINUTE_NS, endNs: nowNs + MINUTE_NS }
  const telemetry = startTelemetry(server.url)
  const log = logger('shop')
  for (const order of ['first', 'second'])
    await asyncSpan(`order ${order}`, async () => {
      log.info`${order} begins`
      await asyncSpan('pay', async () => log.error('no card', new Error('declined')))
    })
  await telemetry.shutdown()
  const [process_] = await server.query('select process_id from processes')
  const id = String(process_!.process_id)
  const rows = await server.query(
    `SELECT s.name, split_part(l.msg, chr(10), 1) AS msg
     FROM log_entries l
     JOIN process_spans('${id}', 'async') s ON property_get(l.properties, 'span_id') = cast(s.id AS varchar)
     WHERE l.process_id = '${id}' ORDER BY l.time`,
    { range },
  )
  expect(rows).toEqual([
    { name: 'order first', msg: 'first begins' },
    { name: 'pay', msg: 'no card' },
    { name: 'order second', msg: 'second begins' },
    { name: 'pay', msg: 'no card' },
  ])
  const traces = await server.query(
    `SELECT property_get(properties, 'trace_id') AS trace, count(*) AS n FROM log_entries
     WHERE process_id = '${id}' GROUP BY trace`,
    { range },
  )
  expect(traces.map(({ n }) => n)).toEqual([2n, 2n])
})
