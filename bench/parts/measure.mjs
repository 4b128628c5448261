/**
 * Processor time of each part of the pipeline, taken alone: `measure.mjs url workload`. All threads count. The parts do not
 * add up exactly to the whole, which overlaps them and shares caches among them.
 */
import { strict as assert } from 'node:assert'
import { Agent, request as makeRequest } from 'node:http'
import { compressFrame } from 'lz4-napi'
import { startRecording } from '../hot-path/recorder.mjs'
import { workloads } from '../pipeline/workload.mjs'

const REPEATS = 9
/** Fills about twenty blocks. */
const EVENTS = 400_000
const PAGE_BYTES = 4096

const [url, name] = process.argv.slice(2)
const workload = workloads[name]
const { sink, telemetry } = startRecording()

/** Median processor time of a few repeats, in nanoseconds per event. */
async function processorTime(events, run) {
  const samples = []
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const before = process.cpuUsage()
    await run()
    const { user, system } = process.cpuUsage(before)
    samples.push(((user + system) * 1000) / events)
  }
  return samples.sort((a, b) => a - b)[(REPEATS - 1) / 2]
}

const record = await processorTime(EVENTS, () => workload.record(EVENTS))
const memory = await sink.keepDuring(() => workload.record(EVENTS), telemetry)
const blocks = memory.blocks
const events = blocks.reduce((sum, { eventCount }) => sum + eventCount, 0)
assert.equal(events, EVENTS)

const freshMemory = await processorTime(events, () => {
  for (const { objects } of blocks) {
    const fresh = Buffer.allocUnsafeSlow(objects.byteLength)
    for (let at = 0; at < fresh.length; at += PAGE_BYTES) fresh[at] = 1
  }
})
const compressAll = (options) => () =>
  Promise.all(blocks.map(({ objects }) => compressFrame(objects, options)))
const compress = await processorTime(events, compressAll({ contentChecksum: true }))
const compressUnchecked = await processorTime(events, compressAll({}))

const bodies = await compressAll({ contentChecksum: true })()
const agent = new Agent({ keepAlive: true })
const postOne = (body) =>
  new Promise((resolve, reject) => {
    const target = new URL('/ingestion/insert_block', url)
    const sent = makeRequest(target, { method: 'POST', agent }, (answer) => answer.resume())
    sent.once('error', reject).once('close', resolve)
    sent.setHeader('content-length', body.byteLength)
    sent.end(body)
  })
const post = await processorTime(events, async () => {
  for (const body of bodies) await postOne(body)
})
agent.destroy()
await telemetry.shutdown()
process.send({
  workload: name,
  record,
  freshMemory,
  compress,
  compressUnchecked,
  post,
  eventsPerBlock: events / blocks.length,
  bytesPerEvent: blocks.reduce((sum, { objects }) => sum + objects.byteLength, 0) / events,
  compressedBytesPerEvent: bodies.reduce((sum, body) => sum + body.byteLength, 0) / events,
})
