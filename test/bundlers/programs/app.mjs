// Records and ends as told: by a return, `process.exit()`, or an error that nobody catches.
import { imetric, initTelemetry, logger } from 'micromegas'

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
