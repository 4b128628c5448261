import { expect, test } from 'vitest'
import { MetadataRegistry } from '../../../src/sink/upload/metadata-registry.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { testProcess, testStream } from '../support/blocks.ts'
import { startService } from '../support/service.ts'
import { SinkUnderTest } from '../support/sink.ts'

const REFRESH_MS = 300_000

function registryWith(): {
  registry: MetadataRegistry
  take: (nowMs: number, recoveries?: number) => string[]
  settle: (nowMs: number, recoveries?: number) => void
} {
  const registry = new MetadataRegistry(REFRESH_MS)
  const process = testProcess()
  const stream = testStream(process)
  registry.startup(process)
  return {
    registry,
    take: (nowMs, recoveries = 0) => registry.takeDue(stream, nowMs, recoveries).map(({ insert }) => insert),
    settle: (nowMs, recoveries = 0) => {
      registry.settled(process.processId, nowMs, recoveries)
      registry.settled(stream.streamId, nowMs, recoveries)
    },
  }
}

test('descriptions are due once, and not again while they are under way', () => {
  const { take, settle } = registryWith()
  expect(take(0)).toEqual(['process', 'stream'])
  expect(take(10 * REFRESH_MS)).toEqual([])
  settle(10 * REFRESH_MS)
  expect(take(10 * REFRESH_MS + 1)).toEqual([])
})

test('descriptions are due again after the refresh time, counted from their delivery', () => {
  const { take, settle } = registryWith()
  take(0)
  settle(1_000)
  expect(take(1_000 + REFRESH_MS - 1)).toEqual([])
  expect(take(1_000 + REFRESH_MS)).toEqual(['process', 'stream'])
})

test('descriptions are due again when the service came back, unless they were sent seconds ago', () => {
  const { take, settle } = registryWith()
  take(0)
  settle(0, 0)
  expect(take(9_999, 1)).toEqual([])
  expect(take(10_000, 1)).toEqual(['process', 'stream'])
  settle(10_000, 1)
  expect(take(30_000, 1)).toEqual([])
})

test('a stream of an unknown process is described alone', () => {
  const registry = new MetadataRegistry(REFRESH_MS)
  expect(registry.takeDue(testStream(testProcess()), 0, 0).map(({ insert }) => insert)).toEqual(['stream'])
})

test('a program that makes stream after stream does not grow the registry: the oldest are described again', () => {
  const registry = new MetadataRegistry(REFRESH_MS)
  const process = testProcess()
  const streams = Array.from({ length: 1_001 }, () => testStream(process))
  for (const stream of streams) registry.takeDue(stream, 0, 0)
  expect(registry.takeDue(streams[1_000]!, 1, 0)).toEqual([])
  expect(registry.takeDue(streams[0]!, 1, 0)).toHaveLength(1)
})

test('a server that lost everything is told of the process and the stream again, with the next block', async () => {
  await using service = await startService()
  const clock = new ManualClock()
  await using under = new SinkUnderTest(service.url, { metadataRefreshMs: 50 }, undefined, { clock })
  under.push()
  await under.sink.flush()
  await clock.advance(50)
  expect(service.requests).toHaveLength(3)
  under.push()
  await under.sink.flush()
  expect(service.requests.map(({ insert }) => insert).sort()).toEqual([
    'block',
    'block',
    'process',
    'process',
    'stream',
    'stream',
  ])
  expect(new Set(service.of('process').map(({ id }) => id)).size).toBe(1)
})
