// The same as app.mjs, by require.
const { imetric, initTelemetry, logger } = require('micromegas')

initTelemetry({ localSinkEnabled: false, systemMetrics: false })
const log = logger('bundled')
const metric = imetric('bundled', 'count')
for (let i = 0; i < 20_000; i++) {
  log.info`event ${i}`
  metric.record(i)
}
const how = process.argv[2]
if (how === 'exit') process.exit(3)
if (how === 'throw') throw new Error('thrown on purpose')
