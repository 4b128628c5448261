import { strict as assert } from 'node:assert'
import { initTelemetry } from 'micromegas'

/** Starts telemetry as a service has it, but for the console. */
export function startTelemetry(url) {
  return initTelemetry({ telemetryUrl: url, localSinkEnabled: false, cpuTracing: true })
}

const eventsOf = (recording) => Object.values(recording).reduce((sum, { recorded }) => sum + recorded, 0)

/** Events recorded so far, those about the runtime included. */
export const recordedEvents = (telemetry) => eventsOf(telemetry.stats.recording)

/**
 * Delivers everything and sees that nothing was lost on the way.
 *
 * @returns what was delivered
 */
export async function finish(telemetry) {
  await telemetry.shutdown({ timeoutMs: 60_000 })
  const { recording, upload } = telemetry.stats
  for (const [kind, { dropped, invalid }] of Object.entries(recording)) {
    assert.deepEqual({ dropped, invalid }, { dropped: 0, invalid: 0 }, `nothing of ${kind} is lost`)
  }
  assert.equal(upload.dropped.blocks, 0, 'no block is dropped')
  assert.equal(upload.failedAttempts, 0, 'no attempt fails')
  assert.equal(upload.delivered.events, eventsOf(recording), 'every event recorded is delivered')
  return upload.delivered
}
