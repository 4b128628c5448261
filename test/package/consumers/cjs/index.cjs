const assert = require('node:assert')
const { InMemoryEventSink, initTelemetry, logger } = require('micromegas')
const { FlightSQLClient } = require('micromegas/query')
const { startServer } = require('micromegas-server')

async function run() {
  // The ESM build records through the same dispatch as the CommonJS build.
  const esm = await import('micromegas')
  const memory = new InMemoryEventSink()
  const server = await startServer({ port: 0, disableAuth: true, dataDir: process.argv[2] })
  const telemetry = initTelemetry({
    telemetryUrl: server.url,
    localSinkEnabled: false,
    sinks: [{ sink: memory }],
  })
  logger('consumer').info`${'cjs'} works`
  esm.logger('consumer').info`${'both builds'} meet`
  const report = await telemetry.shutdown()
  assert.equal(report.pending.blocks, 0)
  const body = JSON.stringify(await (await fetch(`${server.url}/api/log_entries?target=consumer`)).json())
  const client = new FlightSQLClient(server.flightUri)
  const { rows } = await client.query('select count(*) as n from log_entries', { begin: '1h' })
  assert.deepEqual(rows, [{ n: 2n }])
  await client.close()
  await server.close()
  assert.match(body, /cjs works/)
  assert.match(body, /both builds meet/)
  console.log('cjs ok')
}

run().catch((error) => {
  console.error(error)
  process.exit(1)
})
