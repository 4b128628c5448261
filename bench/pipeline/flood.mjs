/**
 * Records as fast as the pipeline takes it: `flood.mjs url workload seconds`. The queue is kept far below the budget at
 * which it would shed, by waiting as a program under backpressure does.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { clockTasks } from '../hot-path/clock-tasks.mjs'
import { finish, recordedEvents, startTelemetry } from './telemetry.mjs'
import { workloads } from './workload.mjs'

const CHUNK_EVENTS = 2_000
/** Chunks between looks at the queue: 64 KiB to 2 MiB of events. */
const CHUNKS_PER_LOOK = 8
const MAX_HELD_BYTES = 32 * 1024 * 1024
const WARM_UP_MS = 2_000

const [url, name, seconds] = process.argv.slice(2)
const workload = workloads[name]
const telemetry = startTelemetry(url)

let maxHeldBytes = 0
let waits = 0

async function recordFor(milliseconds) {
  const end = performance.now() + milliseconds
  while (performance.now() < end) {
    for (let chunk = 0; chunk < CHUNKS_PER_LOOK; chunk++) {
      workload.record(CHUNK_EVENTS)
      await turn()
    }
    for (;;) {
      const { heldBytes } = telemetry.stats.upload
      maxHeldBytes = Math.max(maxHeldBytes, heldBytes)
      if (heldBytes < MAX_HELD_BYTES) break
      waits++
      await turn()
    }
  }
}

/** Nanoseconds of a clock read, by the way of `id`: the median of some batches. */
function readClock(id) {
  const { run } = clockTasks.find((task) => task.id === id)
  const samples = Array.from({ length: 31 }, () => {
    const start = process.hrtime.bigint()
    run(20_000)
    return Number(process.hrtime.bigint() - start) / 20_000
  })
  return samples.sort((a, b) => a - b)[15]
}

for (const { id } of clockTasks) readClock(id) // compiles it
await recordFor(WARM_UP_MS)
await telemetry.flush()
maxHeldBytes = 0
waits = 0

const clocksBefore = clockTasks.map(({ id }) => readClock(id))
const eventsBefore = recordedEvents(telemetry)
const cpuBefore = process.cpuUsage()
const start = performance.now()
await recordFor(Number(seconds) * 1000)
await telemetry.flush()
const elapsedMs = performance.now() - start
const { user, system } = process.cpuUsage(cpuBefore)
const events = recordedEvents(telemetry) - eventsBefore
const clocks = Object.fromEntries(clockTasks.map(({ id }, i) => [id, (clocksBefore[i] + readClock(id)) / 2]))
const delivered = await finish(telemetry)
process.send({
  events,
  elapsedMs,
  userMs: user / 1000,
  systemMs: system / 1000,
  clocks,
  maxHeldBytes,
  waits,
  delivered,
})
