import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { numberOf, readRows } from './support/arrived.ts'
import { FaultProxy, pass } from './support/fault-proxy.ts'
import { answers } from './support/faults.ts'
import { expectEverythingArrived } from './support/ledger.ts'
import { Recorder } from './support/recorder.ts'
import { ServerProcess } from './support/server.ts'

const PRELOAD = fileURLToPath(new URL('./fixtures/shift-clock.cjs', import.meta.url))
const HOUR_MS = 3_600_000

test('a wall clock that is set neither loses, doubles nor misdates an event, nor delays or hastens a retry', async () => {
  await using server = await ServerProcess.start()
  await using proxy = await FaultProxy.start(server.url)
  await using recorder = await Recorder.start({ url: proxy.url, execArgv: ['--require', PRELOAD] })
  const startMs = Date.now()
  await recorder.startRecording(5_000)
  for (const shiftMs of [HOUR_MS, -2 * HOUR_MS, 400 * 24 * HOUR_MS, -30_000]) {
    const seen = proxy.exchanges.length
    await proxy.until((exchanges) => exchanges.length > seen + 4)
    await recorder.shiftClock(shiftMs)
    // A date to come back at, on the server's clock: an hour off would be an hour of silence, or none.
    let refusedMs = 0
    proxy.behaviour = (exchange) => {
      refusedMs ||= exchange.atMs
      const at = new Date(Date.now() + 2_000).toUTCString()
      return answers(503, () => ({ 'retry-after': at }))(exchange)
    }
    await proxy.until(() => refusedMs > 0)
    await sleep(500)
    proxy.behaviour = pass
    await proxy.until((exchanges) => exchanges.at(-1)!.atMs > refusedMs + 600)
    const waitedMs = proxy.exchanges.at(-1)!.atMs - refusedMs
    expect(waitedMs).toBeGreaterThan(900) // a date has no fractions of a second
    expect(waitedMs).toBeLessThan(4_000)
  }
  const end = await recorder.shutdown()
  await expectEverythingArrived(server.url, recorder.processId, end)
  const rows = await readRows<{ readonly time_ns: string; readonly msg: string }>(
    server.url,
    '/api/log_entries',
    { process_id: recorder.processId, target: 'ledger', order: 'oldest' },
  )
  expect(rows.every(({ msg }, index) => numberOf(msg) === index)).toBe(true)
  const times = [rows[0]!, rows.at(-1)!].map(({ time_ns }) => Number(BigInt(time_ns) / 1_000_000n))
  expect(times[0]).toBeGreaterThan(startMs - 1_000)
  expect(times[1]).toBeLessThan(Date.now() + 1_000)
})
