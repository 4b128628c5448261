/**
 * What a call costs in a process that never starts telemetry: the 64 KiB that each stream keeps for a later start are
 * full.
 */
import { strict as assert } from 'node:assert'
import { clockTasks } from '../clock-tasks.mjs'
import { measureRounds, readPlan } from '../measure.mjs'
import { startRecording } from '../recorder.mjs'
import { asyncSpanTasks, logTasks, metricTasks, spanTasks } from '../recording-tasks.mjs'

const EARLY_BYTES = 64 * 1024
const SMALLEST_EVENT = 17
const recording = [...metricTasks, ...logTasks, ...spanTasks, ...asyncSpanTasks]

const counted = { log: 0, metrics: 0, cpu: 0, image: 0 }
for (const { kind, eventsPerOperation = 1, run } of recording) {
  if (kind === undefined) continue
  const fill = Math.ceil(EARLY_BYTES / SMALLEST_EVENT)
  await run(fill)
  counted[kind] += fill * eventsPerOperation
}

const tasks = [...clockTasks, ...recording.map((task) => ({ ...task, batch: task.async ? 10_000 : 100_000 }))]
const { samples, operations } = await measureRounds(tasks, readPlan())
for (const { id, kind, eventsPerOperation = 1 } of recording) {
  if (kind !== undefined) counted[kind] += operations[id] * eventsPerOperation
}

const { sink, telemetry } = startRecording()
await telemetry.flush()
const { recording: stats } = telemetry.stats
for (const kind of ['log', 'metrics']) {
  assert.ok(sink.events[kind] > 0, 'what fitted before the start is delivered after it')
  assert.equal(
    sink.events[kind] + stats[kind].dropped,
    counted[kind],
    `every ${kind} event is kept or counted`,
  )
}
await telemetry.shutdown()
process.send({ samples, proof: { events: sink.events, blocks: sink.blocks, bytes: sink.bytes } })
