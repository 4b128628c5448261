/** What a call costs that records nothing: its level is disabled, or spans are not recorded. */
import { strict as assert } from 'node:assert'
import { asyncSpan, defineSpan, span } from 'micromegas'
import { clockTasks } from '../clock-tasks.mjs'
import { measureRounds, readPlan } from '../measure.mjs'
import { startRecording } from '../recorder.mjs'
import { asyncSpanTasks, asyncStep, EU, log, step } from '../recording-tasks.mjs'

const BATCH = 200_000
const place = defineSpan('place')
const user = 'ada lovelace'

const tasks = [
  ...clockTasks,
  {
    id: 'off.log.static.template',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) log.debug`cache warmed`
    },
  },
  {
    id: 'off.log.static.string',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) log.debug('connection accepted')
    },
  },
  {
    id: 'off.log.formatted',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) log.debug`order ${i} placed by ${user}`
    },
  },
  {
    id: 'off.log.tagged',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) log.debug('payment accepted', EU)
    },
  },
  {
    id: 'off.span.begin-end',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) {
        place.begin()
        place.end()
      }
    },
  },
  {
    id: 'off.span.definition',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) span(place, step)
    },
  },
  {
    id: 'off.span.async',
    async: true,
    batch: 20_000,
    async run(count) {
      for (let i = 0; i < count; i++) await asyncSpan(place, asyncStep)
    },
  },
  asyncSpanTasks.find(({ id }) => id === 'await.function'),
]

const { sink, telemetry } = startRecording({ maxLevelOverride: 'info', cpuTracing: false })
const { samples } = await measureRounds(tasks, readPlan())
log.info`the only event`
await telemetry.flush()
assert.deepEqual(sink.events, { log: 1, metrics: 0, cpu: 0, image: 0 }, 'what is disabled records nothing')
await telemetry.shutdown()
process.send({ samples, proof: { events: sink.events, blocks: sink.blocks, bytes: sink.bytes } })
