import { expect, test } from 'vitest'
import { startServer } from '../../server/src/index.ts'
import { initTelemetry } from '../../src/main/init-telemetry.ts'
import { asyncSpan, beginAsyncSpan, span } from '../../src/tracing/span.ts'

const MINUTE_NS = 60_000_000_000n

test('properties, final names and failures of spans are answered by SQL', async () => {
  await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  const nowNs = BigInt(Date.now()) * 1_000_000n
  const range = { beginNs: nowNs - MINUTE_NS, endNs: nowNs + MINUTE_NS }
  const telemetry = initTelemetry({
    telemetryUrl: server.url,
    cpuTracing: true,
    localSinkEnabled: false,
    systemMetrics: false,
    signalHandling: false,
  })
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
