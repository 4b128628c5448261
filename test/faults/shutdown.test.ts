import { expect, test } from 'vitest'
import { type Behaviour, FaultProxy, pass } from './support/fault-proxy.ts'
import { answers, neverAnswers, resetsInTheBody, tricklesItsAnswer } from './support/faults.ts'
import { expectEveryLossCounted } from './support/ledger.ts'
import { Recorder } from './support/recorder.ts'
import { ServerProcess } from './support/server.ts'

const TIMEOUT_MS = 2_000
/** Far more than a machine that is busy with other tests adds, far less than a server that never answers. */
const SLACK_MS = 10_000

const faults: readonly [name: string, fault: Behaviour | 'refuse' | 'freeze'][] = [
  ['accepts and never answers', neverAnswers],
  ['trickles its answers', tricklesItsAnswer(50)],
  ['resets every connection', resetsInTheBody],
  ['answers 503', answers(503)],
  ['asks to come back in an hour', answers(429, () => ({ 'retry-after': '3600' }))],
  ['refuses connections', 'refuse'],
  ['went silent and left its connections half open', 'freeze'],
]

test.each(faults)(
  'a shutdown ends in its time and reports the truth when the server %s',
  async (_name, fault) => {
    await using server = await ServerProcess.start()
    await using proxy = await FaultProxy.start(server.url)
    await using recorder = await Recorder.start({ url: proxy.url, telemetry: { flushPeriodSeconds: 60 } })
    await recorder.record(5_000)
    await recorder.flush()
    if (fault === 'refuse') await proxy.refuse()
    else if (fault === 'freeze') proxy.freeze()
    else proxy.behaviour = fault
    await recorder.record(20_000)
    const end = await recorder.shutdown(TIMEOUT_MS)
    expect(end.tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS)
    const { delivered, dropped, spooled, pending } = end.report
    expect([delivered, spooled, pending].map(({ events }) => events)).toEqual([0, 0, 0])
    expect(dropped.events).toBeGreaterThan(40_000) // and the account of the process
    const arrived = await expectEveryLossCounted(server.url, recorder.processId, end)
    expect(arrived.logs).toHaveLength(5_000)
  },
)

test('a shutdown reports what arrived before the server fell silent in the middle of it', async () => {
  await using server = await ServerProcess.start()
  await using proxy = await FaultProxy.start(server.url)
  await using recorder = await Recorder.start({ url: proxy.url, telemetry: { flushPeriodSeconds: 60 } })
  let answered = 0
  proxy.behaviour = (exchange) => (++answered <= 8 ? pass(exchange) : neverAnswers(exchange))
  await recorder.record(100_000)
  const end = await recorder.shutdown(TIMEOUT_MS)
  expect(end.tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS)
  const { delivered, dropped } = end.report
  expect(delivered.blocks).toBe(5) // and three descriptions
  expect(delivered.events + dropped.events).toBeGreaterThan(200_000)
  await expectEveryLossCounted(server.url, recorder.processId, end)
})
