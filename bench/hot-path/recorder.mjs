import { strict as assert } from 'node:assert'
import { initTelemetry } from 'micromegas'
import { measureRounds } from './measure.mjs'
import { ProofSink } from './proof-sink.mjs'
import { proveTask } from './recording-tasks.mjs'

/** Starts telemetry with nothing but a sink that discards and counts. */
export function startRecording(options = {}) {
  const sink = new ProofSink()
  const telemetry = initTelemetry({
    sinks: [{ sink, maxLevel: 'trace' }],
    localSinkEnabled: false,
    systemMetrics: false,
    cpuTracing: true,
    flushPeriodSeconds: 86_400,
    ...options,
  })
  return { sink, telemetry }
}

/**
 * Proves that each task records what it says, measures all of them, and proves that every event of the measurement went
 * into a block.
 */
export async function measureRecording(tasks, plan) {
  const { sink, telemetry } = startRecording()
  for (const task of tasks) await proveTask(task, sink, telemetry)
  await telemetry.flush()
  const before = { ...sink.events }
  const { samples, operations } = await measureRounds(tasks, plan)
  await telemetry.flush()
  const expected = { ...before }
  for (const { id, kind, eventsPerOperation = 1, batch, besides } of tasks) {
    if (kind !== undefined) expected[kind] += operations[id] * eventsPerOperation
    if (besides !== undefined) expected[besides.kind] += (operations[id] / batch) * besides.events
  }
  assert.deepEqual(sink.events, expected, 'every event recorded is in a block')
  for (const [kind, { dropped, invalid }] of Object.entries(telemetry.stats.recording)) {
    assert.deepEqual({ dropped, invalid }, { dropped: 0, invalid: 0 }, `nothing of ${kind} is lost`)
  }
  sink.parseLastBlocks()
  const proof = { events: sink.events, blocks: sink.blocks, bytes: sink.bytes }
  await telemetry.shutdown()
  return { samples, proof }
}
