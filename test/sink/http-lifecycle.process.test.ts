import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { startBlackHole } from '../support/black-hole.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { program } from '../support/program.ts'
import { until } from '../support/until.ts'
import { Service, startService } from './support/service.ts'
import { QUICK, SinkUnderTest } from './support/sink.ts'

const NOTHING = { blocks: 0, events: 0 }

test('a flush waits for what was queued before it and not for what comes later', async () => {
  const held: (() => void)[] = []
  await using service = await startService(
    () => new Promise<number>((resolve) => held.push(() => resolve(200))),
  )
  await using under = new SinkUnderTest(service.url, { maxInFlightRequests: 10 })
  under.push('log', 1)
  await service.until(({ length }) => length === 3)
  const flushed = under.sink.flush()
  under.push('log', 2)
  await service.until(({ length }) => length === 4)
  for (const release of held.slice(0, 3)) release()
  expect(await flushed).toMatchObject({ delivered: { blocks: 1, events: 1 }, pending: NOTHING })
  expect(under.sink.stats().pending).toEqual({ blocks: 1, events: 2 })
  held[3]?.()
})

test('overlapping flushes each report what happened since they were called', async () => {
  await using service = await startService()
  await using under = new SinkUnderTest(service.url)
  under.push('log', 1)
  const first = under.sink.flush()
  under.push('log', 2)
  const second = under.sink.flush()
  expect((await first).delivered).toEqual({ blocks: 1, events: 1 })
  expect((await second).delivered).toEqual({ blocks: 2, events: 3 })
  expect(await under.sink.flush()).toEqual({
    delivered: NOTHING,
    dropped: NOTHING,
    spooled: NOTHING,
    pending: NOTHING,
  })
})

test('a signal ends the wait of a flush; the rest stays queued and arrives later', async () => {
  await using service = await startService(() => undefined)
  await using under = new SinkUnderTest(service.url, { ...QUICK, requestTimeoutMs: 200 })
  under.push('log', 5)
  const report = await under.sink.flush({ signal: AbortSignal.timeout(50) })
  expect(report).toMatchObject({ delivered: NOTHING, pending: { blocks: 1, events: 5 } })
  expect(await under.sink.flush({ signal: AbortSignal.abort() })).toMatchObject({ pending: { blocks: 1 } })
  service.respond = () => 200
  expect((await under.sink.flush()).delivered).toEqual({ blocks: 1, events: 5 })
})

test('a flush without a signal ends by itself', async () => {
  await using service = await startService(() => 503)
  await using under = new SinkUnderTest(service.url, { ...QUICK, flushTimeoutMs: 60 })
  under.push()
  expect(await under.sink.flush()).toMatchObject({ pending: { blocks: 1 } })
})

test('a flush cuts a long backoff to a second, and a wait the server asked for not at all', async () => {
  let answer: number | { status: number; headers: Record<string, string> } = 503
  await using service = await startService(() => answer)
  const long = { baseDelayMs: 3_600_000, maxDelayMs: 3_600_000 }
  const clock = new ManualClock()
  const options = { metadataRetry: long, blocksRetry: long, maxInFlightRequests: 1 }
  await using under = new SinkUnderTest(service.url, options, undefined, { clock })
  under.push()
  await until(() => under.sink.stats().failedAttempts === 1)
  answer = 200
  expect((await clock.settle(under.sink.flush(), 1_000)).delivered.blocks).toBe(1)
  answer = { status: 503, headers: { 'retry-after': '60' } }
  clock.chance = 0
  under.push()
  await until(() => under.sink.stats().failedAttempts === 2)
  answer = 200
  expect((await clock.settle(under.sink.flush(), 30_000)).pending.blocks).toBe(1)
  await clock.advance(30_000)
  await under.sink.flush()
  expect(under.sink.stats()).toMatchObject({ failedAttempts: 2, delivered: { blocks: 2 } })
})

test('a shutdown delivers what is queued, whatever the backoff', async () => {
  let answer: number | { status: number; headers: Record<string, string> } = {
    status: 503,
    headers: { 'retry-after': '60' },
  }
  await using service = await startService(() => answer)
  const under = new SinkUnderTest(service.url, { maxInFlightRequests: 1 })
  for (let i = 0; i < 5; i++) under.push('log', 2)
  await service.until(({ length }) => length === 1)
  answer = 200
  expect(await under.sink.shutdown()).toMatchObject({
    delivered: { blocks: 5, events: 10 },
    dropped: NOTHING,
  })
})

test('a shutdown tries again within its time, however long the configured waits', async () => {
  let failures = 3
  await using service = await startService(() => (failures-- > 0 ? 503 : 200))
  const long = { baseDelayMs: 3_600_000, maxDelayMs: 3_600_000 }
  const under = new SinkUnderTest(service.url, { metadataRetry: long, blocksRetry: long })
  under.push()
  expect(await under.sink.shutdown()).toMatchObject({ delivered: { blocks: 1 } })
})

test('a shutdown pauses 401 no longer than it has time', async () => {
  let refused = 2
  await using service = await startService(() => (refused-- > 0 ? 401 : 200))
  const under = new SinkUnderTest(service.url, { maxInFlightRequests: 1 })
  under.push()
  await service.until(({ length }) => length === 1)
  expect(await under.sink.shutdown()).toMatchObject({ delivered: { blocks: 1 } })
})

test.each([
  ['accepts and never answers', () => undefined],
  [
    'trickles its headers',
    (_request: unknown, response: ServerResponse): undefined => {
      const { socket } = response
      const timer = setInterval(() => socket?.write('H'), 10)
      socket?.on('close', () => clearInterval(timer))
      return undefined
    },
  ],
  [
    'resets every request',
    (_request: unknown, response: ServerResponse): undefined => {
      response.socket?.resetAndDestroy()
      return undefined
    },
  ],
  ['answers 503 for ever', () => 503],
] as const)('a shutdown ends in its time when the server %s', async (_name, respond) => {
  const service = await startService(respond as never)
  const clock = new ManualClock()
  const under = new SinkUnderTest(service.url, {}, undefined, { clock })
  for (let i = 0; i < 20; i++) under.push('log', 3)
  const ended = under.sink.shutdown({ timeoutMs: 400 })
  await clock.advance(400)
  expect(await ended).toEqual({
    delivered: NOTHING,
    dropped: { blocks: 20, events: 60 },
    spooled: NOTHING,
    pending: NOTHING,
  })
  expect(under.sink.stats()).toMatchObject({
    state: 'closed',
    pending: NOTHING,
    heldBytes: 0,
    drops: expect.arrayContaining([{ kind: 'log', reason: 'shutdown', blocks: 20, events: 60 }]),
  })
  await service.idle()
  await service.close()
})

test('a shutdown ends in its time when the connection itself is never made', async () => {
  await using hole = await startBlackHole()
  const clock = new ManualClock()
  const under = new SinkUnderTest(hole.url, { requestTimeoutMs: 60_000 }, undefined, { clock })
  under.push()
  await until(() => under.sink.stats().inFlightRequests > 0)
  const ended = under.sink.shutdown({ timeoutMs: 300 })
  await clock.advance(300)
  expect(await ended).toMatchObject({ dropped: { blocks: 1 } })
})

test('a shutdown reports what it delivered and what it had to give up', async () => {
  let answered = 0
  await using service = await startService(() => (answered++ < 7 ? 200 : undefined))
  const under = new SinkUnderTest(service.url, { maxInFlightRequests: 1 })
  for (let i = 0; i < 10; i++) under.push('log', 2)
  expect(await under.sink.shutdown({ timeoutMs: 500 })).toMatchObject({
    delivered: { blocks: 5, events: 10 },
    dropped: { blocks: 5, events: 10 },
  })
})

test('every shutdown call returns the same promise, and later blocks are counted as closed', async () => {
  await using service = await startService()
  const under = new SinkUnderTest(service.url)
  const first = under.sink.shutdown({ timeoutMs: 1_000 })
  expect(under.sink.shutdown()).toBe(first)
  under.push('metrics', 4)
  await first
  under.push('metrics', 5)
  expect(under.sink.stats()).toMatchObject({
    enqueued: { blocks: 2, events: 9 },
    dropped: { blocks: 2, events: 9 },
    drops: [{ kind: 'metrics', reason: 'closed', blocks: 2, events: 9 }],
  })
  expect(await under.sink.flush()).toMatchObject({ delivered: NOTHING })
  expect(service.requests).toEqual([])
})

test('await using shuts the sink down', async () => {
  await using service = await startService()
  {
    await using under = new SinkUnderTest(service.url)
    await using _ = under.sink
    under.push()
  }
  expect(service.of('block')).toHaveLength(1)
})

test('a hundred sinks one after the other leave neither a connection nor anything that runs', async () => {
  await using service = await startService()
  const { code, output } = await run(fixture('hundred-sinks.ts'), service.url)
  expect({ code, output: output.trim() }).toEqual({ code: 0, output: 'delivered 100 blocks, left: none' })
  await service.idle()
  expect(service.of('block')).toHaveLength(100)
})

const fixture = (name: string): string => program(new URL(`./fixtures/${name}`, import.meta.url))

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await once(child.stdout, 'readable').catch(() => {})
  const [code] = child.exitCode === null ? await once(child, 'close') : [child.exitCode]
  return { code, output }
}

test('a program that forgets its sink is not kept alive by a server that never answers', async () => {
  await using service = await startService(() => undefined)
  expect(await run(fixture('forgetful.ts'), service.url, 'sink')).toMatchObject({ code: 0 })
})

test('a flush that is not awaited holds the program until it is done, and no longer than its limit', async () => {
  const service = await new Service(() => 200).listen()
  expect(await run(fixture('forgetful.ts'), service.url, 'flush')).toMatchObject({
    code: 0,
    output: 'delivered 1\n',
  })
  service.respond = () => undefined
  expect(await run(fixture('forgetful.ts'), service.url, 'flush')).toMatchObject({
    code: 0,
    output: 'delivered 0\n',
  })
  await service.close()
})
