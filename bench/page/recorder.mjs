/** Records what the page is tried with: `spans COUNT`, or `logs PER_SECOND SECONDS`. Says how much, and ends. */
import { asyncSpan, initTelemetry, logger } from 'micromegas'

const [what, first, second] = process.argv.slice(2)
const telemetry = initTelemetry({ cpuTracing: true, localSinkEnabled: false })
const log = logger('bench.page')

if (what === 'spans') {
  // Ten at once, each with two children: 30 lanes.
  for (let i = 0; i < Number(first); i += 30)
    await Promise.all(
      Array.from({ length: 10 }, (_, k) =>
        asyncSpan(`request ${k}`, async () => {
          await asyncSpan('query', async () => new Promise((resolve) => setImmediate(resolve)))
          await asyncSpan('render', async () => {})
        }),
      ),
    )
} else {
  const begin = performance.now()
  const total = Number(first) * Number(second)
  for (let done = 0; done < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - begin) / 1000) * Number(first)))
    for (; done < due; done++) log.info`order ${done} placed by ${done % 100}`
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
await telemetry.shutdown()
