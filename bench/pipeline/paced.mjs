/**
 * Records a steady number of events a second, or does the same without telemetry: `paced.mjs url|none events-per-second
 * seconds`. Reports how late the event loop was and the memory of the process, second by second.
 */
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const WARM_UP_MS = 2_000
const TICK_MS = 1

const [url, rate, seconds] = process.argv.slice(2)
const { workloads, keptAlive } = await import('./workload.mjs')
const { finish, startTelemetry } = await import('./telemetry.mjs')
const telemetry = url === 'none' ? undefined : startTelemetry(url)
const make = telemetry === undefined ? workloads.mixed.idle : workloads.mixed.record

const eventsPerMs = Number(rate) / 1000
const totalMs = WARM_UP_MS + Number(seconds) * 1000
const start = performance.now()
const delay = monitorEventLoopDelay({ resolution: 1 })
const rss = []
let made = 0
let measuring = false
let cpuBefore = process.cpuUsage()
const done = new EventTarget()

const timer = setInterval(() => {
  const elapsed = performance.now() - start
  const due = Math.floor((elapsed * eventsPerMs) / 10) * 10 - made
  if (due > 0) make(due)
  made += Math.max(0, due)
  if (!measuring && elapsed >= WARM_UP_MS) {
    measuring = true
    cpuBefore = process.cpuUsage()
    delay.enable()
  }
  if (elapsed >= rss.length * 1000) rss.push(process.memoryUsage.rss())
  if (elapsed >= totalMs) done.dispatchEvent(new Event('done'))
}, TICK_MS)

await once(done, 'done')
clearInterval(timer)
delay.disable()
const { user, system } = process.cpuUsage(cpuBefore)
const delivered = telemetry === undefined ? undefined : await finish(telemetry)
const toMs = (nanoseconds) => nanoseconds / 1e6
process.send({
  made,
  cpuMs: (user + system) / 1000,
  delayMs: {
    p50: toMs(delay.percentile(50)),
    p99: toMs(delay.percentile(99)),
    'p99.9': toMs(delay.percentile(99.9)),
    max: toMs(delay.max),
  },
  rss,
  delivered,
  keptAlive: keptAlive(),
})
