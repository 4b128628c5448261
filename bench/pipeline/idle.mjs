/** Memory of a process that has nothing to do: `idle.mjs seconds [url]`, with telemetry when there is a url. */
import { setTimeout as sleep } from 'node:timers/promises'

const [seconds, url] = process.argv.slice(2)
let telemetry
if (url !== undefined) {
  const { initTelemetry, logger } = await import('micromegas')
  telemetry = initTelemetry({ telemetryUrl: url, localSinkEnabled: false })
  logger('idle').info`started`
  await telemetry.flush()
}
await sleep(Number(seconds) * 1000)
const rss = process.memoryUsage.rss()
await telemetry?.shutdown()
process.send({ rss })
