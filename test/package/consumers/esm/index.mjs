import assert from 'node:assert'
import { InMemoryEventSink, initTelemetry, Level, logger } from 'micromegas'
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
const response = await fetch(`${server.url}/api/log_entries?target=consumer`)
const body = await response.json()
await server.close()
assert.match(JSON.stringify(body), /esm works/)
assert.equal(Level.Info, 4)
console.log('esm ok')
