import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { numbersBelow, summary } from './support/accounts.ts'
import { readArrived, readProcessIds } from './support/arrived.ts'
import { Child, type Ended } from './support/child.ts'
import { type Behaviour, FaultProxy, pass } from './support/fault-proxy.ts'
import { answers, neverAnswers, resetsInTheBody } from './support/faults.ts'
import { ServerProcess } from './support/server.ts'

/** How a service is written, and how it ends on SIGTERM. */
const WAYS: readonly [way: string, code: number | null][] = [
  ['init', null],
  ['waits', 143],
  ['returned', 143],
  ['closes', 143],
]

/** Long enough to tell one wait from two on a machine that is busy. */
const TIMEOUT_MS = 4_000

function start(way: string, url: string, env: Readonly<Record<string, string>> = {}): Child {
  return new Child('listening.mjs', [way], { env: { MICROMEGAS_TELEMETRY_URL: url, ...env } })
}

/** Sends SIGTERM; how it ended, and how long that took. */
async function terminate(child: Child): Promise<Ended & { readonly tookMs: number }> {
  const sentMs = performance.now()
  child.process.kill('SIGTERM')
  const ended = await child.ended
  return { ...ended, tookMs: performance.now() - sentMs }
}

describe('SIGTERM ends a service, with everything delivered, one that', () => {
  test.each(WAYS)('%s (code %s)', async (way, code) => {
    await using server = await ServerProcess.start()
    await using child = start(way, server.url)
    await child.message((message) => message === 'up')
    const ended = await terminate(child)
    expect(ended).toMatchObject({ code, signal: code === null ? 'SIGTERM' : null })
    const [processId] = await readProcessIds(server.url)
    const { logs } = await readArrived(server.url, processId!)
    // A process that Node ends by a signal has no `exit` event, and nothing more to say.
    expect(summary(logs)).toBe(summary(numbersBelow(code === null ? 1_000 : 1_001)))
  })
})

const faults: readonly [name: string, fault: Behaviour | 'refuse' | 'freeze'][] = [
  ['answers 401', answers(401)],
  ['answers 403', answers(403)],
  ['asks to come back in an hour', answers(429, () => ({ 'retry-after': '3600' }))],
  ['answers 503', answers(503)],
  ['accepts and never answers', neverAnswers],
  ['resets every connection', resetsInTheBody],
  ['refuses connections', 'refuse'],
  ['went silent and left its connections half open', 'freeze'],
]

async function startProxy(fault: Behaviour | 'refuse' | 'freeze'): Promise<FaultProxy> {
  const proxy = await FaultProxy.start('http://127.0.0.1:9')
  if (fault === 'refuse') await proxy.refuse()
  else if (fault === 'freeze') proxy.freeze()
  else proxy.behaviour = fault
  return proxy
}

describe.each(WAYS)(
  'a service that %s ends on SIGTERM (code %s) and tells its loss, where the server',
  (way, code) => {
    test.each(faults)('%s', async (_name, fault) => {
      await using proxy = await startProxy(fault)
      await using child = start(way, proxy.url, { MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS: '1' })
      await child.message((message) => message === 'up')
      const ended = await terminate(child)
      expect(ended).toMatchObject({ code, signal: code === null ? 'SIGTERM' : null })
      expect(ended.stderr).toMatch(
        /events were not delivered before the shutdown|were refused|cannot deliver/,
      )
    })
  },
)

test('it ends where the identity provider is down, and tells its loss', async () => {
  await using server = await ServerProcess.start()
  await using child = start('returned', server.url, {
    MICROMEGAS_OIDC_TOKEN_ENDPOINT: 'http://127.0.0.1:9/token',
    MICROMEGAS_OIDC_CLIENT_ID: 'shop',
    MICROMEGAS_OIDC_CLIENT_SECRET: 'hush',
    MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS: '1',
  })
  await child.message((message) => message === 'up')
  const ended = await terminate(child)
  expect(ended).toMatchObject({ code: 143, signal: null })
  expect(ended.stderr).toMatch(/events were not delivered before the shutdown/)
})

describe('a signal costs one shutdown timeout where the server answers 401 and main has returned, whenever it comes:', () => {
  test.each([
    ['returned', 'while the flush after main is under way'],
    ['returned', 'as that has run out of time'],
    ['returned', 'long after'],
    ['closes', 'while the flush after main is under way'],
    ['closes', 'as that has run out of time'],
    ['closes', 'long after'],
  ])('%s, %s', async (way, when) => {
    await using proxy = await startProxy(answers(401))
    await using child = start(way, proxy.url, {
      MICROMEGAS_INGESTION_API_KEY: 'wrong',
      MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS: String(TIMEOUT_MS / 1_000),
    })
    await child.message((message) => message === 'up')
    if (when !== 'while the flush after main is under way') {
      await child.message((message) => message === 'flushed')
      if (when === 'long after') await sleep(2 * TIMEOUT_MS)
    }
    const before = proxy.exchanges.length
    const ended = await terminate(child)
    expect(ended).toMatchObject({ code: 143, signal: null })
    expect(ended.tookMs).toBeLessThan(2 * TIMEOUT_MS)
    expect(proxy.exchanges.length).toBeGreaterThan(before) // it tries, rather than give up at once
  })
})

test('what is held arrives when the server takes the key while the process ends', async () => {
  await using server = await ServerProcess.start()
  await using proxy = await FaultProxy.start(server.url)
  proxy.behaviour = answers(401)
  await using child = start('returned', proxy.url, { MICROMEGAS_INGESTION_API_KEY: 'wrong' })
  await child.message((message) => message === 'up')
  await proxy.until((exchanges) => exchanges.length > 1)
  const ending = terminate(child)
  const before = proxy.exchanges.length
  await proxy.until((exchanges) => exchanges.length > before)
  proxy.behaviour = pass
  expect(await ending).toMatchObject({ code: 143 })
  const [processId] = await readProcessIds(server.url)
  const { logs } = await readArrived(server.url, processId!)
  expect(summary(logs)).toBe(summary(numbersBelow(1_001)))
})
