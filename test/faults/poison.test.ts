import { expect, test } from 'vitest'
import { decodeBlock } from '../../src/telemetry/decode/decoder.ts'
import { numbersBelow, summary } from './support/accounts.ts'
import { FaultProxy, pass } from './support/fault-proxy.ts'
import { expectEveryLossCounted } from './support/ledger.ts'
import { Recorder } from './support/recorder.ts'
import { ServerProcess } from './support/server.ts'

const NUMBERS = 100

test('a block that the server answers with 500 for ever is set aside and counted, while the others are delivered', async () => {
  await using server = await ServerProcess.start()
  await using proxy = await FaultProxy.start(server.url)
  await using recorder = await Recorder.start({ url: proxy.url, telemetry: { flushPeriodSeconds: 60 } })
  let poison: string | undefined
  /** Attempts at it before which something was delivered since the attempt before. */
  let heldAgainst = 0
  let deliveredSince = false
  proxy.behaviour = async (exchange) => {
    const { blockId } = exchange.insert === 'block' ? decodeBlock(await exchange.body()) : {}
    poison ??= blockId
    if (blockId === undefined || blockId !== poison) {
      await pass(exchange)
      deliveredSince = true
      return
    }
    if (deliveredSince) heldAgainst++
    deliveredSince = false
    return exchange.answer(500)
  }
  await recorder.record(NUMBERS)
  await recorder.flush(100) // the poison would be waited for
  let rounds = 1
  for (; rounds < 2_500; rounds++) {
    const { stats } = await recorder.state()
    if (stats.upload!.dropped.blocks > 0) break
    await recorder.record(NUMBERS)
    await recorder.flush(100)
  }
  const end = await recorder.shutdown()
  // The first block of the logs; its metrics are another one.
  expect(end.stats.upload!.drops).toEqual([{ kind: 'log', reason: 'set_aside', blocks: 1, events: NUMBERS }])
  // Ten failures with deliveries in between; those without do not speak against the block, however many they are. An
  // answer that crosses an attempt counts here for one side of it and in the sink for the other.
  expect(heldAgainst).toBeGreaterThanOrEqual(8)
  expect(heldAgainst).toBeLessThan(20)
  const arrived = await expectEveryLossCounted(server.url, recorder.processId, end)
  expect(summary(arrived.logs)).toBe(`${NUMBERS}-${end.numbers - 1}`)
  expect(summary(arrived.metrics)).toBe(summary(numbersBelow(end.numbers)))
}, 300_000) // its waits are drawn, up to half a minute each
