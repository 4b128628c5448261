import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Child, type Ended } from './support/child.ts'
import { FaultProxy, pass } from './support/fault-proxy.ts'
import { answers, neverAnswers } from './support/faults.ts'
import { type Account, expectEveryLossCounted, expectEverythingArrived } from './support/ledger.ts'
import { ServerProcess } from './support/server.ts'

/** Each number is a log and a metric: 50,000 events. */
const NUMBERS = 25_000

/** Every way a process can end by itself, with the code that Node would end it with. */
const WAYS: readonly [way: string, code: number][] = [
  ['return', 0],
  ['rejection', 1],
  ['exit', 9],
  ['handler', 9],
  ['uncaught', 1],
  ['unhandled', 1],
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
  ['dry', 0],
  ['worker', 0],
  ['worker-exit', 0],
]

const codeOf: ReadonlyMap<string, number> = new Map(WAYS)

async function run(
  way: string,
  url: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended & Account & { readonly processId: string }> {
  await using child = new Child('exits.mjs', [way, String(NUMBERS)], {
    env: { MICROMEGAS_TELEMETRY_URL: url, ...env },
  })
  const ended = await child.ended
  const account = ended.stdout.trim().split('\n').at(-1)
  return { ...ended, ...JSON.parse(account || '{}') }
}

describe('50,000 events in memory arrive, and the exit code is what it would have been, when the process ends by', () => {
  test.each(WAYS)('%s (code %i)', async (way, code) => {
    await using server = await ServerProcess.start()
    const ended = await run(way, server.url)
    expect(ended).toMatchObject({ code, signal: null, numbers: NUMBERS })
    await expectEverythingArrived(server.url, ended.processId, ended)
  })
})

describe('they arrive too when the server is unavailable at first, and the process ends by', () => {
  test.each(['return', 'exit', 'unhandled', 'SIGTERM', 'dry', 'worker-exit'])('%s', async (way) => {
    await using server = await ServerProcess.start()
    await using proxy = await FaultProxy.start(server.url)
    proxy.behaviour = answers(503)
    const running = run(way, proxy.url)
    await proxy.until((exchanges) => exchanges.length > 0)
    await sleep(1_000)
    proxy.behaviour = pass
    const ended = await running
    expect(ended).toMatchObject({ code: codeOf.get(way), signal: null, numbers: NUMBERS })
    await expectEverythingArrived(server.url, ended.processId, ended)
  })
})

describe('the end takes no longer than it may, and the loss is counted, where the server takes five requests and then none, by', () => {
  test.each(['rejection', 'exit', 'uncaught', 'SIGINT', 'dry', 'worker'])('%s', async (way) => {
    await using server = await ServerProcess.start()
    await using proxy = await FaultProxy.start(server.url)
    let taken = 0
    proxy.behaviour = (exchange) => (++taken <= 5 ? pass(exchange) : neverAnswers(exchange))
    const ended = await run(way, proxy.url, { MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS: '1.5' })
    expect(ended).toMatchObject({ code: codeOf.get(way), signal: null, numbers: NUMBERS })
    // Starting, recording and a loaded machine take their time too; the server would be waited for for ever.
    expect(ended.elapsedMs).toBeLessThan(1_500 + 5_000)
    expect(ended.stats.upload!.dropped.events).toBeGreaterThan(0)
    await expectEveryLossCounted(server.url, ended.processId, ended)
  })
})
