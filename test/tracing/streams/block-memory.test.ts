import { expect, test } from 'vitest'
import type { SealedBlock } from '../../../src/model/event-sink.ts'
import { BLOCK_BYTES, shareBlock } from '../../../src/tracing/streams/block-memory.ts'
import { MetricSite, MetricsStream } from '../../../src/tracing/streams/metrics-stream.ts'
import { processOf } from '../support/block-collector.ts'
import { parseBlock } from '../support/check-run.ts'

const PROCESS = processOf(process.hrtime.bigint())
const site = new MetricSite('m', 'count', 'app')
const PER_BLOCK = Math.floor(BLOCK_BYTES / 25)

/** Fills one block of a stream with the whole numbers from `first`. */
function fillBlock(stream: MetricsStream, first: number): void {
  for (let i = 0; i < PER_BLOCK; i++) stream.writeInteger(site, first + i)
}

/** A stream, and the blocks it made. */
function openStream(): { readonly metrics: MetricsStream; readonly blocks: SealedBlock[] } {
  const metrics = new MetricsStream()
  const blocks: SealedBlock[] = []
  metrics.open(PROCESS.processId, PROCESS.startTicks, {}, (block) => blocks.push(block))
  return { metrics, blocks }
}

function values(block: SealedBlock): readonly unknown[] {
  return parseBlock(block).map((event) => event.get('value'))
}

test('blocks that nobody releases keep their bytes', () => {
  const { metrics, blocks } = openStream()
  for (let i = 0; i < 6; i++) fillBlock(metrics, i * PER_BLOCK)
  metrics.seal()
  expect(blocks.flatMap(values)).toEqual(Array.from({ length: 6 * PER_BLOCK }, (_, i) => BigInt(i)))
  expect(new Set(blocks.map(({ objects }) => objects.buffer)).size).toBe(6)
})

test('the memory of a released block holds a later one', () => {
  const { metrics, blocks } = openStream()
  fillBlock(metrics, 0)
  metrics.seal()
  const first = blocks[0]!
  first.release?.()
  fillBlock(metrics, 1000)
  metrics.seal()
  expect(blocks[1]!.objects.buffer).toBe(first.objects.buffer)
  expect(values(blocks[1]!)[0]).toBe(1000n)
})

test('a block released twice gives its memory back once', () => {
  const { metrics, blocks } = openStream()
  fillBlock(metrics, 0)
  metrics.seal()
  blocks[0]!.release?.()
  blocks[0]!.release?.()
  for (let i = 0; i < 3; i++) fillBlock(metrics, i * PER_BLOCK)
  metrics.seal()
  const later = blocks.slice(1)
  expect(new Set(later.map(({ objects }) => objects.buffer)).size).toBe(3)
  expect(later.flatMap(values)).toEqual(Array.from({ length: 3 * PER_BLOCK }, (_, i) => BigInt(i)))
})

test('of several readers the last one to release gives the memory back, however often each says so', () => {
  let released = 0
  const { metrics, blocks } = openStream()
  fillBlock(metrics, 0)
  metrics.seal()
  const shares = shareBlock({ ...blocks[0]!, release: () => released++ }, 3)
  shares[0]!.release?.()
  shares[0]!.release?.()
  shares[0]!.release?.()
  shares[1]!.release?.()
  expect(released).toBe(0)
  shares[2]!.release?.()
  expect(released).toBe(1)
})

test('a block that fills little of its buffer is a copy, with nothing to release', () => {
  const { metrics, blocks } = openStream()
  metrics.writeInteger(site, 1)
  metrics.seal()
  expect(blocks[0]!.release).toBeUndefined()
  expect(blocks[0]!.objects.buffer.byteLength).toBe(25)
})
