import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Behaviour, FaultProxy, pass } from './support/fault-proxy.ts'
import {
  answersAfter,
  cutsTheAnswer,
  resetsInTheBody,
  sometimes,
  tricklesItsAnswer,
} from './support/faults.ts'
import { expectEverythingArrived } from './support/ledger.ts'
import { Recorder } from './support/recorder.ts'
import { ServerProcess } from './support/server.ts'

const NUMBERS_PER_SECOND = 5_000
/** An attempt may take this long. */
const TIMEOUT = { MICROMEGAS_TELEMETRY_REQUEST_TIMEOUT_SECS: '1' }
/** How long a fault lasts. */
const FAULT_MS = 4_000

describe('nothing is lost and nothing arrives twice when the way to the server', () => {
  const rows: readonly [name: string, fault: Behaviour][] = [
    ['answers slowly', answersAfter(700)],
    ['answers only after the attempt was given up', answersAfter(1_300)],
    ['resets every connection in the middle of a body', resetsInTheBody],
    ['resets some connections in the middle of a body', sometimes(0.5, resetsInTheBody)],
    ['cuts the bodies of its answers', cutsTheAnswer],
    ['trickles its answers', tricklesItsAnswer(20)],
    ['trickles some of its answers', sometimes(0.5, tricklesItsAnswer(20))],
  ]
  test.each(rows)('%s', async (_name, fault) => {
    await using server = await ServerProcess.start()
    await using proxy = await FaultProxy.start(server.url)
    await using recorder = await Recorder.start({ url: proxy.url, env: TIMEOUT })
    await recorder.startRecording(NUMBERS_PER_SECOND)
    await proxy.until((exchanges) => exchanges.length >= 8)
    proxy.behaviour = fault
    const before = proxy.exchanges.length
    await sleep(FAULT_MS)
    expect(proxy.exchanges.length).toBeGreaterThan(before)
    proxy.behaviour = pass
    await expectEverythingArrived(server.url, recorder.processId, await recorder.shutdown())
  })

  test('goes silent and leaves its connections half open', async () => {
    await using server = await ServerProcess.start()
    await using proxy = await FaultProxy.start(server.url)
    await using recorder = await Recorder.start({ url: proxy.url, env: TIMEOUT })
    await recorder.startRecording(NUMBERS_PER_SECOND)
    await proxy.until((exchanges) => exchanges.length >= 8)
    proxy.freeze()
    await sleep(FAULT_MS)
    expect((await recorder.state()).stats.upload).toMatchObject({ state: 'unreachable' })
    proxy.thaw()
    await expectEverythingArrived(server.url, recorder.processId, await recorder.shutdown())
  })

  test('refuses and resets connections by turns', async () => {
    await using server = await ServerProcess.start()
    await using proxy = await FaultProxy.start(server.url)
    await using recorder = await Recorder.start({ url: proxy.url, env: TIMEOUT })
    await recorder.startRecording(NUMBERS_PER_SECOND)
    for (let round = 0; round < 5; round++) {
      const seen = proxy.exchanges.length
      await proxy.until((exchanges) => exchanges.length > seen)
      proxy.reset()
      await sleep(200)
      await proxy.refuse()
      await sleep(300)
      await proxy.accept()
    }
    await expectEverythingArrived(server.url, recorder.processId, await recorder.shutdown())
  })
})

test('a 200 whose body is cut is a delivery, and not one attempt is repeated', async () => {
  await using server = await ServerProcess.start()
  await using proxy = await FaultProxy.start(server.url)
  proxy.behaviour = cutsTheAnswer
  await using recorder = await Recorder.start({ url: proxy.url })
  for (let round = 0; round < 20; round++) {
    await recorder.record(50)
    await recorder.flush()
  }
  const end = await recorder.shutdown()
  expect(end.stats.upload).toMatchObject({ failedAttempts: 0, attempts: proxy.exchanges.length })
  await expectEverythingArrived(server.url, recorder.processId, end)
})

describe('a connection that is closed while it is idle costs no attempt', () => {
  test('at the moment of the next request', async () => {
    await using server = await ServerProcess.start()
    await using proxy = await FaultProxy.start(server.url)
    // What a server does that gave the connection up while the request was on its way to it.
    proxy.behaviour = (exchange) => (exchange.reused ? exchange.reset() : pass(exchange))
    await using recorder = await Recorder.start({ url: proxy.url })
    for (let round = 0; round < 50; round++) {
      await recorder.record(20)
      await recorder.flush()
    }
    const end = await recorder.shutdown()
    expect(end.stats.upload!.failedAttempts).toBe(0)
    expect(end.stats.upload!.staleConnections).toBeGreaterThan(50)
    await expectEverythingArrived(server.url, recorder.processId, end)
  })

  test.each(['an end', 'a reset'])('at any moment around it, by %s', async (how) => {
    await using server = await ServerProcess.start()
    await using proxy = await FaultProxy.start(server.url)
    proxy.behaviour = async (exchange) => {
      const { socket } = exchange.request
      await pass(exchange)
      // Rounds take some milliseconds: this hits before, in and after the next request.
      setTimeout(() => (how === 'an end' ? socket.end() : socket.resetAndDestroy()), Math.random() * 12)
    }
    await using recorder = await Recorder.start({ url: proxy.url })
    for (let round = 0; round < 300; round++) {
      await recorder.record(5)
      await recorder.flush()
    }
    const end = await recorder.shutdown()
    expect(end.stats.upload!.failedAttempts).toBe(0)
    await expectEverythingArrived(server.url, recorder.processId, end)
  })
})
