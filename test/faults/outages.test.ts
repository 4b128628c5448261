import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readArrived, readProcessIds } from './support/arrived.ts'
import { type Exchange, FaultProxy, pass } from './support/fault-proxy.ts'
import { answers, sometimes } from './support/faults.ts'
import { expectEverythingArrived } from './support/ledger.ts'
import { Recorder } from './support/recorder.ts'
import { ServerProcess } from './support/server.ts'
import { OUTAGE_SECONDS } from './support/settings.ts'

/** Each number is two events. */
const NUMBERS_PER_SECOND = 5_000

test('a server that is down under 10,000 events a second costs nothing', async () => {
  await using server = await ServerProcess.start()
  await using recorder = await Recorder.start({ url: server.url })
  await recorder.startRecording(NUMBERS_PER_SECOND)
  await sleep(1_000)
  await server.kill()
  await sleep(OUTAGE_SECONDS * 1_000)
  const during = await recorder.state()
  expect(during.stats.upload).toMatchObject({ state: 'unreachable', dropped: { events: 0 } })
  await server.restart()
  await recorder.flush()
  const end = await recorder.shutdown()
  expect(end.numbers).toBeGreaterThan(NUMBERS_PER_SECOND * OUTAGE_SECONDS * 0.8)
  await expectEverythingArrived(server.url, recorder.processId, end)
})

test('a server that is killed and restarted again and again stores everything once', async () => {
  await using server = await ServerProcess.start()
  await using recorder = await Recorder.start({ url: server.url })
  await recorder.startRecording(NUMBERS_PER_SECOND)
  for (let round = 0; round < 4; round++) {
    await sleep(700)
    await server.kill()
    await server.restart()
  }
  const end = await recorder.shutdown()
  await expectEverythingArrived(server.url, recorder.processId, end)
})

test('a service that starts before its server delivers from its first event on', async () => {
  await using server = await ServerProcess.start()
  await server.kill()
  await using recorder = await Recorder.start({ url: server.url })
  await recorder.record(1_000)
  await sleep(1_500)
  await server.restart()
  await recorder.record(1_000)
  await expectEverythingArrived(server.url, recorder.processId, await recorder.shutdown())
})

test('a server that lost everything is told of the process and its streams again', async () => {
  await using server = await ServerProcess.start()
  await using recorder = await Recorder.start({ url: server.url })
  await recorder.record(1_000)
  await recorder.flush()
  await server.kill()
  await server.wipe()
  // An outage that nobody noticed is none.
  await recorder.record(1_000)
  // Descriptions that were sent in the last ten seconds are not sent again; see metadata-registry.ts.
  await sleep(10_500)
  expect((await recorder.state()).stats.upload?.state).toBe('unreachable')
  await server.restart()
  await recorder.flush()
  // The second block of each stream comes after the recovery, and brings the descriptions with it.
  await recorder.record(1_000)
  const end = await recorder.shutdown()
  expect(end.stats.upload!.dropped.events).toBe(0)
  expect(await readProcessIds(server.url)).toEqual([recorder.processId])
  const arrived = await readArrived(server.url, recorder.processId)
  const since = Array.from({ length: 2_000 }, (_, i) => i + 1_000)
  expect(arrived.logs).toEqual(since)
  expect(arrived.metrics).toEqual(since)
})

test('a storm of 503 costs nothing, and is met with one probe now and then, whatever is queued', async () => {
  await using server = await ServerProcess.start()
  await using proxy = await FaultProxy.start(server.url)
  await using recorder = await Recorder.start({ url: proxy.url })
  await recorder.startRecording(NUMBERS_PER_SECOND)
  await proxy.until((exchanges) => exchanges.length >= 10)
  let stormy = 0
  let running = 0
  let mostRunning = 0
  proxy.behaviour = async (exchange) => {
    // What ran along with the first is over by then.
    if (++stormy > 3) mostRunning = Math.max(mostRunning, ++running)
    await exchange.answer(503)
    if (stormy > 3) running--
  }
  await sleep(5_000)
  expect(mostRunning).toBe(1)
  expect(stormy).toBeLessThan(40)
  proxy.behaviour = sometimes(0.5, answers(503))
  await sleep(2_000)
  proxy.behaviour = pass
  await expectEverythingArrived(server.url, recorder.processId, await recorder.shutdown())
})

test.each([
  ['seconds', (): string => '2'],
  ['a date', (): string => new Date(Date.now() + 2_000).toUTCString()],
] as const)('a 429 with Retry-After as %s is heeded by every request', async (_form, retryAfter) => {
  await using server = await ServerProcess.start()
  await using proxy = await FaultProxy.start(server.url)
  await using recorder = await Recorder.start({ url: proxy.url })
  await recorder.startRecording(NUMBERS_PER_SECOND)
  await proxy.until((exchanges) => exchanges.length >= 10)
  let refused: Exchange | undefined
  proxy.behaviour = (exchange) => {
    refused ??= exchange
    return exchange.answer(429, { 'retry-after': retryAfter() })
  }
  await proxy.until(() => refused !== undefined)
  const refusedMs = refused!.atMs
  await sleep(1_500)
  proxy.behaviour = pass
  await proxy.until((exchanges) => exchanges.at(-1)!.atMs > refusedMs + 1_500)
  // What was under way already comes to its end.
  const early = proxy.exchanges.filter(({ atMs }) => atMs > refusedMs + 300 && atMs < refusedMs + 1_900)
  expect(early).toEqual([])
  const end = await recorder.shutdown()
  await expectEverythingArrived(server.url, recorder.processId, end)
})
