import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { droppedEvents, numbersBelow, summary } from './support/accounts.ts'
import { type Behaviour, FaultProxy, pass } from './support/fault-proxy.ts'
import { answers, neverAnswers } from './support/faults.ts'
import { expectEveryLossCounted, expectNumbers } from './support/ledger.ts'
import { type Memory, Recorder } from './support/recorder.ts'
import { ServerProcess } from './support/server.ts'
import { WATCH_SECONDS } from './support/settings.ts'

const MIB = 1024 * 1024
const SOFT_BYTES = 4 * MIB
const HARD_BYTES = 8 * MIB
/** Small budgets, so that they are reached in seconds. */
const BUDGETS = {
  MICROMEGAS_TELEMETRY_MAX_QUEUE_BYTES: String(SOFT_BYTES),
  MICROMEGAS_TELEMETRY_HARD_QUEUE_BYTES: String(HARD_BYTES),
  MICROMEGAS_TELEMETRY_REQUEST_TIMEOUT_SECS: '1',
}
/** No block is larger. */
const BLOCK_BYTES = 513 * 1024
/** 10,000 events a second. */
const NUMBERS_PER_SECOND = 5_000

const bytesOf = ({ heapUsed, external }: Memory): number => heapUsed + external

test.each<[name: string, fault: Behaviour]>([
  ['accepts and never answers', neverAnswers],
  ['answers nothing but 503', answers(503)],
])(
  'a server that %s costs a bounded memory, and every event that is shed is counted',
  async (_name, fault) => {
    await using server = await ServerProcess.start()
    await using proxy = await FaultProxy.start(server.url)
    proxy.behaviour = fault
    await using recorder = await Recorder.start({ url: proxy.url, env: BUDGETS, paddingChars: 300 })
    await recorder.startRecording(NUMBERS_PER_SECOND)
    let state = await recorder.state()
    while (state.stats.upload!.dropped.events === 0) {
      await sleep(200)
      state = await recorder.state()
    }
    const full = bytesOf(state.memory)
    for (let second = 0; second < WATCH_SECONDS; second++) {
      await sleep(1_000)
      state = await recorder.state()
      expect(state.stats.upload!.heldBytes).toBeLessThan(HARD_BYTES + BLOCK_BYTES)
      expect(bytesOf(state.memory) - full).toBeLessThan(4 * MIB)
    }
    expect(state.memory.rss).toBeLessThan(200 * MIB)
    proxy.behaviour = pass
    await recorder.stopRecording()
    await recorder.flush()
    // What is recorded after the outage arrives, and so does the account of the loss.
    await recorder.record(1_000)
    const end = await recorder.shutdown()
    expect(end.stats.upload!.drops.map(({ reason }) => reason)).toEqual(['queue_full', 'queue_full'])
    const arrived = await expectEveryLossCounted(server.url, recorder.processId, end)
    const last = numbersBelow(1_000).map((number) => end.numbers - 1_000 + number)
    expect(summary(arrived.logs.slice(-1_000))).toBe(summary(last))
    expect(summary(arrived.metrics.slice(-1_000))).toBe(summary(last))
  },
)

test('spans are shed first, at the soft limit, while not one log or metric is lost', async () => {
  await using server = await ServerProcess.start()
  await using proxy = await FaultProxy.start(server.url)
  await proxy.refuse()
  const env = { ...BUDGETS, MICROMEGAS_TELEMETRY_HARD_QUEUE_BYTES: String(64 * MIB) }
  await using recorder = await Recorder.start({ url: proxy.url, env, spans: true })
  await recorder.startRecording(NUMBERS_PER_SECOND * 4)
  let state = await recorder.state()
  while (droppedEvents(state.stats, 'cpu') < 10_000) {
    await sleep(200)
    state = await recorder.state()
  }
  await recorder.stopRecording()
  await proxy.accept()
  await recorder.flush()
  const end = await recorder.shutdown()
  expect(end.stats.upload!.drops).toMatchObject([{ kind: 'cpu', reason: 'queue_full' }])
  const arrived = await expectEveryLossCounted(server.url, recorder.processId, end)
  expectNumbers(arrived, end.numbers)
  expect(arrived.events.cpu).toBeGreaterThan(0)
})
