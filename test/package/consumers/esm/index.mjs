import assert from 'node:assert'
import { InMemoryEventSink, initTelemetry, Level, logger } from 'micromegas'
import { FlightSQLClient, QueryError, sql } from 'micromegas/query'
import { startServer } from 'micromegas-server'

const memory = new InMemoryEventSink()
const server = await startServer({ port: 0, disableAuth: true, dataDir: process.argv[2] })
const telemetry = initTelemetry({
  telemetryUrl: server.url,
  localSinkEnabled: false,
  sinks: [{ sink: memory }],
})
logger('consumer').info`${'esm'} works`
const report = await telemetry.shutdown()
assert.equal(report.pending.blocks, 0)
assert.equal(report.dropped.blocks, 0)
const asking = new FlightSQLClient(server.flightUri)
const { rows } = await asking.query(sql`select msg from log_entries where target = ${'consumer'}`, {
  begin: '1h',
})
assert.deepEqual(rows, [{ msg: 'esm works' }])
await asking.close()
const response = await fetch(`${server.url}/api/log_entries?target=consumer`)
const body = await response.json()
await server.close()
assert.match(JSON.stringify(body), /esm works/)
assert.equal(Level.Info, 4)
const client = new FlightSQLClient('grpc://127.0.0.1:1')
await assert.rejects(
  client.query(sql`select ${'x'}`),
  (error) => error instanceof QueryError && error.code === 'UNAVAILABLE',
)
await client.close()
console.log('esm ok')
