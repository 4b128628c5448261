import { strict as assert } from 'node:assert'
import { asyncSpan, defineSpan, logger } from 'micromegas'
import { finish, startTelemetry } from '../pipeline/telemetry.mjs'
import { asyncWork, inSteps, LOGS, orderOf, SPANS, sendCpu } from './work.mjs'

const [what, url] = process.argv.slice(2)
const telemetry = startTelemetry(url)
if (what === 'logs') {
  const log = logger('shop')
  await inSteps(LOGS, (i) => {
    const [order, ms] = orderOf(i)
    log.info`order ${order} placed in ${ms} ms`
  })
} else {
  const placing = defineSpan('place order')
  await inSteps(SPANS, () => asyncSpan(placing, asyncWork))
}
const { events } = await finish(telemetry)
assert.ok(events >= (what === 'logs' ? LOGS : 2 * SPANS))
sendCpu()
