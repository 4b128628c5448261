/**
 * Bytes of JavaScript heap allocated per event: `node --expose-gc garbage.mjs events`. The heap's size is read before and
 * after slices of events; a slice in which the collector ran is measured again.
 */
import { strict as assert } from 'node:assert'
import { getHeapStatistics } from 'node:v8'
import { clockTasks } from '../clock-tasks.mjs'
import { startRecording } from '../recorder.mjs'
import { logTasks, metricTasks, spanTasks } from '../recording-tasks.mjs'

const SLICE = 100_000
const WARM_UP_SLICES = 5
const total = Number(process.argv[2])
const { sink, telemetry } = startRecording()

const usedHeap = () => getHeapStatistics().used_heap_size

/** Bytes that a slice allocates; undefined when the collector ran meanwhile and took some away. */
function measureSlice(run, count) {
  const before = usedHeap()
  run(count)
  const grown = usedHeap() - before
  return grown < 0 ? undefined : grown
}

function measureTask({ run }, eventsPerOperation) {
  const operations = SLICE / eventsPerOperation
  for (let slice = 0; slice < WARM_UP_SLICES; slice++) run(operations)
  globalThis.gc()
  const overhead = measureSlice(() => {}, 0) ?? 0
  let events = 0
  let bytes = 0
  let collected = 0
  const blocksBefore = sink.blocks
  while (events < total) {
    const grown = measureSlice(run, operations)
    if (grown === undefined) {
      collected++
    } else {
      events += SLICE
      bytes += grown - overhead
    }
  }
  const slices = events / SLICE + collected
  const blocks = ((sink.blocks - blocksBefore) / slices) * (events / SLICE)
  return {
    bytesPerEvent: bytes / events,
    bytesPerBlock: blocks === 0 ? 0 : bytes / blocks,
    events,
    collected,
  }
}

const ids = process.argv.slice(3)
const tasks = [...clockTasks, ...metricTasks, ...logTasks, ...spanTasks]
const garbage = {}
for (const task of tasks) {
  if (ids.includes(task.id)) garbage[task.id] = measureTask(task, task.eventsPerOperation ?? 1)
}
await telemetry.flush()
const { recording } = telemetry.stats
const recorded = Object.fromEntries(Object.entries(recording).map(([kind, stats]) => [kind, stats.recorded]))
assert.deepEqual(sink.events, recorded, 'every event recorded is in a block')
sink.parseLastBlocks()
await telemetry.shutdown()
process.send(garbage)
