import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { numbersBelow, summary, total } from './support/accounts.ts'
import { readArrived } from './support/arrived.ts'
import { Child } from './support/child.ts'
import { FaultProxy, pass } from './support/fault-proxy.ts'
import { neverAnswers } from './support/faults.ts'
import { type Account, expectBalance, expectEverythingArrived, expectNumbers } from './support/ledger.ts'
import { Recorder, type RecorderOptions, type RecorderState } from './support/recorder.ts'
import { ServerProcess } from './support/server.ts'
import { SmallFileSystem, spooledFiles, TemporaryDirectory } from './support/spool-files.ts'

/** 10,000 events a second. */
const NUMBERS_PER_SECOND = 5_000
/** Telemetry on disk is at most this old: the flush period of the recorders, and the half second that blocks wait. */
const MAX_UNSTORED_MS = 200 + 500
/** Writing takes its time on a busy machine. */
const SLACK_MS = 800

function start(
  url: string,
  directory: { readonly path: string },
  options: Partial<RecorderOptions> = {},
): Promise<Recorder> {
  const env = { MICROMEGAS_TELEMETRY_SPOOL_DIR: directory.path, ...options.env }
  return Recorder.start({ ...options, url, env })
}

/** Resolves once the recorder's upload is in the state wanted. */
async function until(
  recorder: Recorder,
  wanted: (upload: NonNullable<RecorderState['stats']['upload']>) => boolean,
): Promise<void> {
  while (!wanted((await recorder.state()).stats.upload!)) await sleep(50)
}

/** Starts a process on the directory that delivers what others left there. */
async function deliverLeftovers(url: string, directory: { readonly path: string }): Promise<Account> {
  const left = spooledFiles(directory.path).length
  await using successor = await start(url, directory)
  await until(successor, ({ adopted, pending }) => adopted.blocks === left && pending.blocks === 0)
  const end = await successor.shutdown()
  expectBalance(end.stats)
  expect(spooledFiles(directory.path)).toEqual([])
  return end
}

describe('a process that is killed while it records loses no more than one flush period and half a second', () => {
  test.each(['is down', 'works', 'never answers'])('when the server %s', async (how) => {
    using directory = new TemporaryDirectory()
    await using server = await ServerProcess.start()
    await using proxy = await FaultProxy.start(server.url)
    if (how === 'is down') await proxy.refuse()
    if (how === 'never answers') proxy.behaviour = neverAnswers
    await using recorder = await start(proxy.url, directory)
    await recorder.startRecording(NUMBERS_PER_SECOND)
    await sleep(2_000)
    const { numbers } = await recorder.state()
    await sleep(MAX_UNSTORED_MS + SLACK_MS)
    await recorder.child[Symbol.asyncDispose]()
    if (how === 'is down') await proxy.accept()
    proxy.behaviour = pass
    await deliverLeftovers(proxy.url, directory)
    const { logs, metrics } = await readArrived(server.url, recorder.processId)
    for (const arrived of [logs, metrics]) {
      expect(arrived.length).toBeGreaterThanOrEqual(numbers)
      expect(summary(arrived)).toBe(`0-${arrived.length - 1}`)
    }
  })
})

test('one process after the other is killed before it is done, and every event arrives once', async () => {
  using directory = new TemporaryDirectory()
  await using server = await ServerProcess.start()
  await using proxy = await FaultProxy.start(server.url)
  await proxy.refuse()
  await using recorder = await start(proxy.url, directory)
  for (let block = 0; block < 30; block++) {
    await recorder.record(100)
    await recorder.flush(1) // a block of its own
  }
  await until(recorder, ({ spool }) => spool!.blocks === 60)
  await recorder.child[Symbol.asyncDispose]()
  let stored = 0
  // Each successor gets ten requests through, and dies at the eleventh.
  proxy.behaviour = (exchange) => (stored++ % 11 < 10 ? pass(exchange) : neverAnswers(exchange))
  await proxy.accept()
  for (let life = 0; life < 3; life++) {
    const seen = proxy.exchanges.length
    await using successor = await start(proxy.url, directory)
    await proxy.until((exchanges) => exchanges.length > seen + 11)
    await successor.child[Symbol.asyncDispose]()
  }
  proxy.behaviour = pass
  await deliverLeftovers(proxy.url, directory)
  expectNumbers(await readArrived(server.url, recorder.processId), 3_000)
})

test('what a process could not deliver in its time is on disk, and arrives with the next process', async () => {
  using directory = new TemporaryDirectory()
  await using server = await ServerProcess.start()
  await server.kill()
  await using recorder = await start(server.url, directory)
  await recorder.record(25_000)
  const end = await recorder.shutdown(1_000)
  expect(end.report).toMatchObject({
    delivered: { events: 0 },
    dropped: { events: 0 },
  })
  expect(end.report.spooled.events).toBeGreaterThan(50_000) // its account is spooled, too
  expectBalance(end.stats)
  await server.restart()
  const successor = await deliverLeftovers(server.url, directory)
  expect(successor.stats.upload!.adopted.events).toBe(end.report.spooled.events)
  expectNumbers(await readArrived(server.url, recorder.processId), 25_000)
})

describe('with a server that never answers, 50,000 events in memory are on disk when the process ends by', () => {
  test.each([
    ['return', 0],
    ['exit', 9],
    ['uncaught', 1],
    ['SIGTERM', 143],
    ['dry', 0],
    ['worker-exit', 0],
  ])('%s (code %i)', async (way, code) => {
    using directory = new TemporaryDirectory()
    await using server = await ServerProcess.start()
    await using proxy = await FaultProxy.start(server.url)
    proxy.behaviour = neverAnswers
    const env = {
      MICROMEGAS_TELEMETRY_URL: proxy.url,
      MICROMEGAS_TELEMETRY_SPOOL_DIR: directory.path,
      MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS: '1.5',
    }
    await using child = new Child('exits.mjs', [way, '25000'], { env })
    const ended = await child.ended
    expect(ended).toMatchObject({ code, signal: null })
    const account = JSON.parse(ended.stdout.trim().split('\n').at(-1)!)
    expectBalance(account.stats)
    expect(account.stats.upload.dropped.events).toBe(0)
    proxy.behaviour = pass
    const successor = await deliverLeftovers(server.url, directory)
    expect(successor.stats.upload!.adopted).toEqual(account.stats.upload.spooled)
    expectNumbers(await readArrived(server.url, account.processId), 25_000)
  })
})

test('an outage far longer than memory has room for costs nothing', async () => {
  using directory = new TemporaryDirectory()
  await using server = await ServerProcess.start()
  await server.kill()
  const env = {
    MICROMEGAS_TELEMETRY_MAX_QUEUE_BYTES: String(2 ** 21),
    MICROMEGAS_TELEMETRY_HARD_QUEUE_BYTES: String(2 ** 22),
  }
  await using recorder = await start(server.url, directory, { env, paddingChars: 500 })
  await recorder.startRecording(NUMBERS_PER_SECOND)
  await sleep(6_000)
  const { stats } = await recorder.state()
  expect(stats.upload!.heldBytes).toBeLessThan(2 ** 22)
  await server.restart()
  await recorder.flush()
  const end = await recorder.shutdown()
  expect(end.numbers * 500).toBeGreaterThan(2 * 2 ** 22)
  await expectEverythingArrived(server.url, recorder.processId, end)
  expect(spooledFiles(directory.path)).toEqual([])
})

test('a disk that is full leaves blocks in memory, and nothing is lost', async () => {
  using disk = new SmallFileSystem(2 ** 20)
  await using server = await ServerProcess.start()
  await server.kill()
  await using recorder = await start(server.url, disk, { paddingChars: 500 })
  await recorder.startRecording(NUMBERS_PER_SECOND)
  await until(recorder, ({ spool }) => spool!.failedWrites > 0)
  await sleep(1_000)
  await recorder.stopRecording()
  expect(recorder.child.stderr).toContain('cannot write to the spool directory: ENOSPC')
  await server.restart()
  await recorder.flush()
  const end = await recorder.shutdown()
  await expectEverythingArrived(server.url, recorder.processId, end)
  expect(spooledFiles(disk.path)).toEqual([])
})

test('a process that ends while the disk is full leaves what fits and counts the rest', async () => {
  using disk = new SmallFileSystem(2 ** 19)
  await using server = await ServerProcess.start()
  await server.kill()
  await using recorder = await start(server.url, disk)
  await recorder.record(100_000)
  const end = await recorder.shutdown(1_500)
  expectBalance(end.stats)
  const { spooled, dropped } = end.report
  expect(spooled.events).toBeGreaterThan(0)
  expect(dropped.events).toBeGreaterThan(0)
  await server.restart()
  const successor = await deliverLeftovers(server.url, disk)
  expect(successor.stats.upload!.adopted.events).toBe(spooled.events)
  expect(successor.stats.upload!.dropped.events).toBe(0)
  const { events } = await readArrived(server.url, recorder.processId)
  expect(total(events)).toBe(spooled.events)
})

test('torn, corrupt and foreign files cost their own events, which are counted, and nothing else', async () => {
  using directory = new TemporaryDirectory()
  await using server = await ServerProcess.start()
  await server.kill()
  await using recorder = await start(server.url, directory)
  for (let block = 0; block < 10; block++) {
    await recorder.record(100)
    await recorder.flush(1) // a block of its own
  }
  await recorder.shutdown(500)
  const files = spooledFiles(directory.path).filter((path) => path.includes('-log-'))
  expect(files).toHaveLength(10)
  truncateSync(files[2]!, 1_000)
  truncateSync(files[4]!, 0)
  const flipped = readFileSync(files[6]!)
  flipped[flipped.length >> 1]! ^= 1
  writeFileSync(files[6]!, flipped)
  const session = dirname(files[0]!)
  writeFileSync(join(session, 'notes.txt'), 'somebody was here')
  writeFileSync(join(session, 'cut.block.tmp'), 'a write that was cut')
  await server.restart()
  const { stats } = await deliverLeftovers(server.url, directory)
  expect(stats.upload!.spool!.corruptFiles).toBe(4)
  expect(stats.upload!.dropped).toEqual({ blocks: 3, events: 300 })
  const { logs, metrics } = await readArrived(server.url, recorder.processId)
  expect(summary(metrics)).toBe(summary(numbersBelow(1_000)))
  expect(summary(logs)).toBe('0-199 300-399 500-599 700-999')
})

test('two processes that share a directory each deliver their own', async () => {
  using directory = new TemporaryDirectory()
  await using server = await ServerProcess.start()
  await server.kill()
  await using one = await start(server.url, directory)
  await using two = await start(server.url, directory)
  const both = [one, two]
  for (const recorder of both) await recorder.startRecording(NUMBERS_PER_SECOND)
  for (const recorder of both) await until(recorder, ({ spool }) => spool!.blocks > 5)
  await server.restart()
  for (const recorder of both) {
    const end = await recorder.shutdown()
    expect(end.stats.upload!.adopted.blocks).toBe(0)
    await expectEverythingArrived(server.url, recorder.processId, end)
  }
})
