import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BLOCK_OVERHEAD_BYTES } from '../../../src/sink/upload/upload-item.ts'
import { program } from '../../support/program.ts'
import { until } from '../../support/until.ts'
import { startService } from '../support/service.ts'
import { QUICK, SinkUnderTest } from '../support/sink.ts'

let spoolDir = ''
beforeEach(() => {
  spoolDir = mkdtempSync(join(tmpdir(), 'spool-test-'))
})
afterEach(() => rmSync(spoolDir, { recursive: true, force: true }))

/** Files below the spool directory that are no locks. */
function files(): string[] {
  return (readdirSync(spoolDir, { recursive: true }) as string[]).filter((name) => {
    return statSync(join(spoolDir, name)).isFile() && basename(name) !== 'lock'
  })
}

test('a spool directory that cannot be made fails the start', () => {
  const file = join(spoolDir, 'file')
  writeFileSync(file, '')
  const path = join(file, 'spool')
  const message = `Cannot use the spool directory ${path}: ENOTDIR`
  expect(() => new SinkUnderTest('http://localhost:1', { spoolDir: path })).toThrow(
    expect.objectContaining({ code: 'ERR_TELEMETRY_CONFIG', message }),
  )
})

test('while the service works nothing is written', async () => {
  const written: number[] = []
  await using service = await startService(() => {
    written.push(under.sink.stats().spool?.bytes ?? -1)
    return 200
  })
  await using under = new SinkUnderTest(service.url, { spoolDir })
  under.push()
  await under.sink.flush() // loads what has to be loaded, which may take long enough for a file
  written.length = 0
  for (let i = 0; i < 50; i++) under.push()
  await under.sink.flush()
  expect(new Set(written)).toEqual(new Set([0]))
})

test('in an outage blocks move from memory to disk, and are delivered once it is over, and their files go', async () => {
  let down = true
  await using service = await startService(() => (down ? 503 : 200))
  await using under = new SinkUnderTest(service.url, { ...QUICK, spoolDir })
  const pushed = Array.from({ length: 30 }, () => under.push('log', 2, 10_000))
  await until(() => under.sink.stats().spool?.blocks === 30)
  expect(files()).toHaveLength(30)
  expect(under.sink.stats()).toMatchObject({
    heldBytes: 30 * BLOCK_OVERHEAD_BYTES,
    pending: { blocks: 30, events: 60 },
  })
  expect(under.sink.stats().spool?.bytes).toBe(
    files().reduce((sum, name) => sum + statSync(join(spoolDir, name)).size, 0),
  )
  down = false
  expect((await under.sink.flush()).delivered).toEqual({ blocks: 30, events: 60 })
  expect(new Set(service.of('block').map(({ id }) => id))).toEqual(
    new Set(pushed.map(({ blockId }) => blockId)),
  )
  await until(() => files().length === 0)
  expect(under.sink.stats().spool).toEqual({ blocks: 0, bytes: 0, corruptFiles: 0, failedWrites: 0 })
  await under.sink.shutdown()
  expect(readdirSync(spoolDir)).toEqual([])
})

test('every attempt sends the same bytes, before and after the block went to disk', async () => {
  await using service = await startService(() => 503)
  await using under = new SinkUnderTest(service.url, { ...QUICK, spoolDir, maxInFlightRequests: 1 })
  const { blockId } = under.push('log', 2, 5_000)
  const sent = (): Buffer[] =>
    service
      .of('block')
      .filter(({ id }) => id === blockId)
      .map(({ body }) => body)
  await until(() => under.sink.stats().spool?.blocks === 1 && sent().length > 3)
  service.respond = () => 200
  await under.sink.flush()
  expect(sent().every((body) => body.equals(sent()[0]!))).toBe(true)
})

test('with a spool far more than the memory budget outlives an outage', async () => {
  let down = true
  await using service = await startService(() => (down ? 503 : 200))
  await using under = new SinkUnderTest(service.url, {
    ...QUICK,
    spoolDir,
    maxQueueBytes: 100_000,
    hardQueueBytes: 100_000,
  })
  under.push()
  await service.until(({ length }) => length >= 3)
  for (let i = 0; i < 100; i++) {
    under.push('cpu', 1, 20_000)
    await until(() => under.sink.stats().heldBytes < 90_000)
  }
  expect(under.sink.stats().drops).toEqual([])
  down = false
  expect((await under.sink.flush()).delivered.blocks).toBe(101)
})

test('what a shutdown cannot deliver stays on disk for the next process, with what the server must know of it', async () => {
  await using service = await startService(() => 503)
  const first = new SinkUnderTest(service.url, { spoolDir })
  const pushed = (['log', 'metrics', 'cpu', 'image'] as const).map((kind) => first.push(kind, 3))
  const report = await first.sink.shutdown({ timeoutMs: 1_000 })
  expect(report).toMatchObject({
    delivered: { blocks: 0 },
    dropped: { blocks: 0 },
    spooled: { blocks: 4, events: 12 },
  })
  expect(first.sink.stats()).toMatchObject({ spooled: { blocks: 4, events: 12 }, pending: { blocks: 0 } })
  expect(files()).toHaveLength(4)
  service.requests.length = 0
  service.respond = () => 200
  await using second = new SinkUnderTest(service.url, { spoolDir })
  await until(() => second.sink.stats().delivered.blocks === 4)
  await second.sink.flush()
  expect(second.sink.stats()).toMatchObject({
    adopted: { blocks: 4, events: 12 },
    enqueued: { blocks: 4, events: 12 },
  })
  expect(
    service
      .of('block')
      .map(({ id }) => id)
      .sort(),
  ).toEqual(pushed.map(({ blockId }) => blockId).sort())
  expect(service.of('process').map(({ id }) => id)).toEqual([first.process.processId])
  expect(
    service
      .of('stream')
      .map(({ id }) => id)
      .sort(),
  ).toEqual(pushed.map(({ stream }) => stream.streamId).sort())
  await until(() => files().length === 0)
})

test('what is adopted goes by importance, oldest first', async () => {
  await using service = await startService(() => 503)
  const first = new SinkUnderTest(service.url, { ...QUICK, spoolDir })
  const kinds = ['cpu', 'metrics', 'log', 'cpu', 'log'] as const
  const ids = kinds.map((kind) => first.push(kind).blockId)
  await until(() => first.sink.stats().spool?.blocks === 5) // what the end has no time for would be lost
  await first.sink.shutdown({ timeoutMs: 100 })
  service.requests.length = 0
  service.respond = () => 200
  await using second = new SinkUnderTest(service.url, { spoolDir, maxInFlightRequests: 1 })
  await until(() => second.sink.stats().delivered.blocks === 5)
  expect(service.of('block').map(({ id }) => ids.indexOf(id))).toEqual([2, 4, 1, 0, 3])
  const { enqueued, delivered, dropped, spooled, pending } = second.sink.stats()
  expect(enqueued.events).toBe(delivered.events + dropped.events + spooled.events + pending.events)
})

test('at the limit the oldest spans go first, then metrics, then logs, and nothing more important than the newcomer', async () => {
  await using service = await startService(() => 503)
  await using probe = new SinkUnderTest(service.url, { ...QUICK, spoolDir })
  probe.push('log', 1, 1_000_000)
  await until(() => probe.sink.stats().spool?.blocks === 1)
  const size = probe.sink.stats().spool!.bytes
  await probe.sink.shutdown({ timeoutMs: 10 })
  rmSync(spoolDir, { recursive: true })

  await using under = new SinkUnderTest(service.url, {
    ...QUICK,
    spoolDir,
    spoolMaxBytes: Math.floor(size * 4.5),
  })
  const push = async (kind: 'log' | 'metrics' | 'cpu', events: number): Promise<void> => {
    const { enqueued } = under.sink.stats()
    under.push(kind, events, 1_000_000)
    await until(() => {
      const { spool, dropped } = under.sink.stats()
      return spool!.blocks + dropped.blocks > enqueued.blocks
    })
  }
  const dropped = (): string[] =>
    under.sink.stats().drops.map(({ kind, reason, events }) => `${kind} ${reason} ${events}`)
  await push('metrics', 1)
  await push('cpu', 10)
  await push('cpu', 20)
  await push('log', 100)
  expect(dropped()).toEqual([])
  await push('cpu', 40)
  expect(dropped()).toEqual(['cpu spool_full 10'])
  await push('log', 200)
  await push('log', 400)
  expect(dropped()).toEqual(['cpu spool_full 70'])
  await push('log', 800)
  expect(dropped()).toEqual(['cpu spool_full 70', 'metrics spool_full 1'])
  await push('log', 1_600)
  expect(dropped()).toEqual(['cpu spool_full 70', 'metrics spool_full 1', 'log spool_full 100'])
  under.push('cpu', 1, 1_000_000) // finds only what is more important: it stays in memory
  const { attempts } = under.sink.stats()
  await until(() => under.sink.stats().attempts >= attempts + 5)
  expect(under.sink.stats()).toMatchObject({ spool: { blocks: 4 }, dropped: { events: 171 } })
  expect(under.sink.stats().spool!.bytes).toBeLessThanOrEqual(size * 4.5)
  service.respond = () => 200
  await under.sink.flush()
  expect(under.sink.stats()).toMatchObject({ pending: { blocks: 0 }, delivered: { blocks: 5 } })
})

test('a torn, a corrupt and a foreign file are set aside and counted; the others are delivered', async () => {
  await using service = await startService(() => 503)
  const first = new SinkUnderTest(service.url, { ...QUICK, spoolDir })
  for (let i = 0; i < 5; i++) first.push('log', 2)
  await until(() => first.sink.stats().spool?.blocks === 5) // what the end has no time for would be lost
  await first.sink.shutdown({ timeoutMs: 100 })
  const [torn, flipped] = files().sort()
  writeFileSync(join(spoolDir, torn!), readFileSync(join(spoolDir, torn!)).subarray(0, 100))
  const bytes = readFileSync(join(spoolDir, flipped!))
  bytes[bytes.length - 20]! ^= 1
  writeFileSync(join(spoolDir, flipped!), bytes)
  writeFileSync(join(spoolDir, flipped!, '..', 'holiday.jpg'), 'jpg')
  service.respond = () => 200
  await using second = new SinkUnderTest(service.url, { spoolDir })
  await until(() => second.sink.stats().delivered.blocks + second.sink.stats().dropped.blocks === 5)
  expect(second.sink.stats()).toMatchObject({
    delivered: { blocks: 3, events: 6 },
    drops: [{ kind: 'log', reason: 'spool_corrupt', blocks: 2, events: 4 }],
    spool: { corruptFiles: 3 },
  })
  await until(() => files().filter((name) => name.endsWith('.corrupt')).length === 3)
  await second.sink.shutdown()
  await using third = new SinkUnderTest(service.url, { spoolDir })
  await third.sink.flush()
  expect(third.sink.stats()).toMatchObject({ adopted: { blocks: 0 }, spool: { corruptFiles: 0 } })
})

test('a directory that is removed under a running sink costs what was in it and nothing else', async () => {
  let down = true
  await using service = await startService(() => (down ? 503 : 200))
  await using under = new SinkUnderTest(service.url, { ...QUICK, spoolDir })
  under.push()
  await until(() => under.sink.stats().spool?.blocks === 1)
  rmSync(spoolDir, { recursive: true })
  await until(() => under.sink.stats().dropped.blocks === 1) // an attempt that had read the file before fails with 503
  expect(under.sink.stats().drops).toEqual([{ kind: 'log', reason: 'spool_corrupt', blocks: 1, events: 1 }])
  const before = service.requests.length
  under.push()
  await service.until(({ length }) => length > before)
  down = false
  expect(await under.sink.flush()).toMatchObject({ delivered: { blocks: 1 } })
})

test('a disk that takes nothing leaves blocks in memory, within its budget, and is said once', async () => {
  let down = true
  await using service = await startService(() => (down ? 503 : 200))
  await using under = new SinkUnderTest(service.url, {
    ...QUICK,
    spoolDir,
    maxQueueBytes: 20_000,
    hardQueueBytes: 20_000,
  })
  rmSync(spoolDir, { recursive: true })
  writeFileSync(spoolDir, 'a file where the directory was')
  for (let i = 0; i < 30; i++) under.push('log', 1, 1_000)
  await until(() => (under.sink.stats().spool?.failedWrites ?? 0) > 0)
  expect(under.sink.stats()).toMatchObject({
    spool: { blocks: 0 },
    pending: { blocks: 14 },
    dropped: { blocks: 16 },
  })
  down = false
  expect((await under.sink.flush()).delivered.blocks).toBe(14)
  expect(under.warnings.filter((line) => line.includes('cannot write to the spool directory'))).toHaveLength(
    1,
  )
})

const script = program(new URL('../fixtures/spooling.ts', import.meta.url))

async function firstLine(
  stdout: NodeJS.ReadableStream,
): Promise<{ ids: string[]; spooled: number; dropped: number; delivered: number }> {
  const [line] = await once(createInterface({ input: stdout }), 'line')
  return JSON.parse(line)
}

test('a process that is killed leaves every sealed block for the next one', async () => {
  await using service = await startService(() => 503)
  const child = spawn(process.execPath, [script, service.url, spoolDir, '40', 'wait'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { ids } = await firstLine(child.stdout)
  child.kill('SIGKILL')
  await once(child, 'exit')
  service.respond = () => 200
  service.requests.length = 0
  await using next = new SinkUnderTest(service.url, { spoolDir })
  await until(() => next.sink.stats().delivered.blocks === 40)
  expect(
    service
      .of('block')
      .map(({ id }) => id)
      .sort(),
  ).toEqual([...ids].sort())
  expect(service.of('process')).toHaveLength(1)
})

test('an exit puts on disk what it cannot send in its time, even in the first turn', async () => {
  const service = await startService()
  const { url } = service
  await service.close()
  const child = spawn(process.execPath, [script, url, spoolDir, '25', 'exit'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { ids, ...ending } = await firstLine(child.stdout)
  await once(child, 'exit')
  expect(ending).toEqual({ spooled: 25, dropped: 0, delivered: 0 })
  await using again = await startService()
  await using next = new SinkUnderTest(again.url, { spoolDir })
  await until(() => next.sink.stats().delivered.blocks === 25)
  expect(
    again
      .of('block')
      .map(({ id }) => id)
      .sort(),
  ).toEqual([...ids].sort())
})

test('an exit with a spool sends what it can', async () => {
  await using service = await startService()
  const child = spawn(process.execPath, [script, service.url, spoolDir, '25', 'exit'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  expect(await firstLine(child.stdout)).toMatchObject({ spooled: 0, dropped: 0, delivered: 25 })
  await once(child, 'exit')
  expect(files()).toEqual([])
})
