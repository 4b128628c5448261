import { strict as assert } from 'node:assert'
import { asyncSpan, defineSpan, logger } from 'micromegas'
import { finish, startTelemetry } from '../pipeline/telemetry.mjs'
import { asyncWork, count, inSteps, orderOf, sendCpu, url, what } from './work.mjs'

const telemetry = startTelemetry(url)
if (what === 'logs') {
  const log = logger('shop')
  await inSteps((i) => {
    const [order, ms] = orderOf(i)
    log.info`order ${order} placed in ${ms} ms`
  })
} else {
  const placing = defineSpan('place order')
  await inSteps(() => asyncSpan(placing, asyncWork))
}
const { events } = await finish(telemetry)
assert.ok(events >= (what === 'logs' ? count : 2 * count))
sendCpu()
