import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SealedBlock } from '../../src/model/event-sink.ts'
import { CompositeEventSink } from '../../src/sink/composite-event-sink.ts'
import { InMemoryEventSink } from '../../src/sink/in-memory-event-sink.ts'
import { decodeBlock } from '../../src/telemetry/decode/decoder.ts'
import { decompressFrame } from '../../src/telemetry/lz4/lz4-frame.ts'
import { until } from '../support/until.ts'
import { testBlock } from './support/blocks.ts'
import { type Service, startService } from './support/service.ts'
import { QUICK, SinkUnderTest } from './support/sink.ts'

/** A block whose bytes turn to rubbish when they are released, as those of a block whose memory is used again do. */
class ReleasedBlock {
  readonly block: SealedBlock
  readonly recorded: Buffer
  released = 0

  constructor(template: SealedBlock, bytes: number) {
    this.recorded = randomBytes(bytes)
    const objects = Buffer.from(this.recorded)
    const release = (): void => {
      this.released++
      objects.fill(0xee)
    }
    this.block = { ...template, objects, release }
  }
}

function make(under: SinkUnderTest, count: number, bytes = 100_000): readonly ReleasedBlock[] {
  return Array.from({ length: count }, () => new ReleasedBlock(testBlock(under.stream('metrics')), bytes))
}

/** What the service got last of each block. */
function received(service: Service): ReadonlyMap<string, Uint8Array> {
  return new Map(
    service.of('block').map(({ body, id }) => [id, decompressFrame(decodeBlock(body).objects)] as const),
  )
}

test('blocks are released once, when they are encoded, and arrive as they were recorded after many attempts', async () => {
  let failures = 12
  await using service = await startService(({ insert }) => (insert === 'block' && failures-- > 0 ? 503 : 200))
  await using under = new SinkUnderTest(service.url, QUICK)
  const blocks = make(under, 20)
  for (const { block } of blocks) under.sink.onBlock(block)
  await under.sink.flush()
  const arrived = received(service)
  for (const { block, recorded } of blocks) expect(recorded.equals(arrived.get(block.blockId)!)).toBe(true)
  expect(blocks.map(({ released }) => released)).toEqual(blocks.map(() => 1))
})

test('blocks that are uploaded and spooled at the same time arrive as they were recorded', async () => {
  const spoolDir = mkdtempSync(join(tmpdir(), 'released-blocks-'))
  try {
    let down = true
    await using service = await startService(({ insert }) => (insert === 'block' && down ? 503 : 200))
    await using under = new SinkUnderTest(service.url, { ...QUICK, spoolDir })
    const blocks = make(under, 20)
    for (const { block } of blocks) under.sink.onBlock(block)
    await until(() => under.sink.stats().spool?.blocks === blocks.length)
    down = false
    await under.sink.flush()
    const arrived = received(service)
    for (const { block, recorded } of blocks) expect(recorded.equals(arrived.get(block.blockId)!)).toBe(true)
    expect(blocks.every(({ released }) => released === 1)).toBe(true)
  } finally {
    rmSync(spoolDir, { recursive: true, force: true })
  }
})

test('a block that is refused, shed or given up is released', async () => {
  await using service = await startService(() => 503)
  await using under = new SinkUnderTest(service.url, {
    ...QUICK,
    maxQueueBytes: 300_000,
    hardQueueBytes: 300_000,
    maxInFlightRequests: 1,
  })
  const blocks = make(under, 10)
  for (const { block } of blocks) under.sink.onBlock(block)
  await under.sink.shutdown({ timeoutMs: 50 })
  const late = make(under, 1)
  under.sink.onBlock(late[0]!.block)
  await until(() => blocks.every(({ released }) => released > 0))
  expect([...blocks, ...late].map(({ released }) => released)).toEqual([...blocks, ...late].map(() => 1))
})

test('a sink beside one that releases its blocks keeps what it was given', async () => {
  await using service = await startService()
  await using under = new SinkUnderTest(service.url)
  const memory = new InMemoryEventSink()
  memory.onStartup(under.process)
  const composite = new CompositeEventSink([under.sink, memory])
  const [only] = make(under, 1)
  composite.onBlock?.(only!.block)
  await under.sink.flush()
  expect(only!.released).toBe(0)
  expect(only!.recorded.equals(memory.blocks[0]!.objects)).toBe(true)
})
