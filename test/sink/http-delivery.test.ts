import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { HttpEventSink } from '../../src/sink/http-event-sink.ts'
import { decodeBlock, decodeProcess, decodeStream } from '../../src/telemetry/decode/decoder.ts'
import { decompressFrame } from '../../src/telemetry/lz4/lz4-frame.ts'
import { until } from '../support/until.ts'
import { testBlock, testProcess, testStream } from './support/blocks.ts'
import { Service, startService } from './support/service.ts'
import { SinkUnderTest } from './support/sink.ts'

test('the process, the stream and the block arrive as they were recorded', async () => {
  await using service = await startService()
  await using under = new SinkUnderTest(service.url)
  const block = under.push('metrics', 7)
  const report = await under.sink.flush()
  expect(report.delivered).toEqual({ blocks: 1, events: 7 })
  expect(service.requests.map(({ url }) => url).sort()).toEqual([
    '/ingestion/insert_block',
    '/ingestion/insert_process',
    '/ingestion/insert_stream',
  ])
  expect(decodeProcess(service.of('process')[0]!.body)).toEqual(under.process)
  expect(decodeStream(service.of('stream')[0]!.body)).toMatchObject({
    streamId: block.stream.streamId,
    tags: ['metrics'],
  })
  const decoded = decodeBlock(service.of('block')[0]!.body)
  expect(decoded).toMatchObject({ blockId: block.blockId, streamId: block.stream.streamId, eventCount: 7 })
  expect(decompressFrame(decoded.objects)).toEqual(Buffer.from(block.objects))
  for (const { headers } of service.requests) expect(headers['content-type']).toBe('application/cbor')
})

test('a process and a stream are described once, before their first block, and a stream without blocks never', async () => {
  await using service = await startService()
  await using under = new SinkUnderTest(service.url, { maxInFlightRequests: 1 })
  under.stream('image')
  await under.sink.flush()
  expect(service.requests).toEqual([])
  under.push('log')
  under.push('log')
  under.push('cpu')
  await under.sink.flush()
  under.push('log')
  await under.sink.flush()
  expect(service.requests.map(({ insert }) => insert)).toEqual([
    'process',
    'stream',
    'stream',
    'block',
    'block',
    'block',
    'block',
  ])
})

test('what is more important is sent first: metadata, logs, metrics, spans and images', async () => {
  await using service = await startService()
  await using under = new SinkUnderTest(service.url, { maxInFlightRequests: 1 })
  const pushed = (['cpu', 'image', 'metrics', 'log', 'cpu', 'log'] as const).map((kind) => under.push(kind))
  await under.sink.flush()
  const order = service.of('block').map(({ id }) => pushed.findIndex(({ blockId }) => blockId === id))
  expect(order).toEqual([3, 5, 2, 0, 1, 4])
  expect(service.requests.slice(0, 5).every(({ insert }) => insert !== 'block')).toBe(true)
})

test('no more requests run at once than allowed, and all that are', async () => {
  let running = 0
  let most = 0
  await using service = await startService(async () => {
    most = Math.max(most, ++running)
    await until(() => running === 4 || service.requests.length === 42)
    running--
    return 200
  })
  await using under = new SinkUnderTest(service.url, { maxInFlightRequests: 4 })
  for (let i = 0; i < 40; i++) under.push()
  await under.sink.flush()
  expect(most).toBe(4)
  expect(service.connections).toBeLessThanOrEqual(4)
})

test('the base path is kept and a trailing slash makes no double one', async () => {
  await using service = await startService()
  await using under = new SinkUnderTest(`${service.url}/base/path/`)
  under.push()
  await under.sink.flush()
  expect(service.requests.every(({ url }) => url.startsWith('/base/path/ingestion/insert_'))).toBe(true)
})

test('an IPv6 literal works', async () => {
  const service = new Service(() => 200)
  await using _ = await service.listen(0, '::1')
  await using under = new SinkUnderTest(service.url)
  under.push()
  expect((await under.sink.flush()).delivered.blocks).toBe(1)
  expect(service.requests[0]?.headers.host).toBe(`[::1]:${service.port}`)
})

test('a block whose process was never announced is counted and not sent', async () => {
  await using service = await startService()
  await using under = new SinkUnderTest(service.url)
  under.sink.onBlock(testBlock(testStream(testProcess()), 3))
  expect(under.sink.stats()).toMatchObject({
    dropped: { blocks: 1, events: 3 },
    drops: [{ kind: 'log', reason: 'encoding', blocks: 1, events: 3 }],
  })
  expect(under.warnings).toHaveLength(1)
})

test('a block that cannot be encoded is dropped, counted and spoken of', async () => {
  await using service = await startService()
  const process = testProcess({ tscFrequency: 0n })
  const warnings: string[] = []
  const sink = new HttpEventSink(service.url, { warn: (line) => warnings.push(line) })
  sink.onStartup(process)
  sink.onBlock(testBlock(testStream(process), 2))
  const report = await sink.shutdown()
  expect(report.dropped).toEqual({ blocks: 1, events: 2 })
  expect(sink.stats().drops).toEqual([{ kind: 'log', reason: 'encoding', blocks: 1, events: 2 }])
  expect(warnings).toEqual([expect.stringContaining('cannot deliver')])
})

test('taking a block is quick and sends nothing before the recording call returns', async () => {
  await using service = await startService()
  await using under = new SinkUnderTest(service.url)
  for (let i = 0; i < 1_000; i++) under.push()
  expect(under.sink.stats()).toMatchObject({ pending: { blocks: 1_000 }, inFlightRequests: 0 })
  await once(service.server, 'connection')
  await under.sink.flush()
})

test('an upload does not run in the asynchronous context of what was recorded', async () => {
  const storage = new AsyncLocalStorage<string>()
  const seen: (string | undefined)[] = []
  await using service = await startService()
  await using under = new SinkUnderTest(service.url, {}, () => ({
    decorate: () => void seen.push(storage.getStore()),
  }))
  await storage.run('request 1', async () => {
    under.push()
    await under.sink.flush()
  })
  expect(seen).toEqual([undefined, undefined, undefined])
})

test('bad options are all named in one error', () => {
  const options = {
    maxQueueBytes: -1,
    requestTimeoutMs: '10',
    maxInFlight: 3,
    blocksRetry: { baseDelay: 1, maxDelayMs: 1.5 },
    warn: 1,
  }
  expect(() => new HttpEventSink('http://localhost', options as never)).toThrow(
    expect.objectContaining({ code: 'ERR_TELEMETRY_CONFIG' }),
  )
  for (const name of [
    'maxQueueBytes',
    'requestTimeoutMs',
    'maxInFlight: no such',
    'blocksRetry.baseDelay: no such',
    'blocksRetry.maxDelayMs',
    'warn',
  ]) {
    expect(() => new HttpEventSink('http://localhost', options as never)).toThrow(name)
  }
})
