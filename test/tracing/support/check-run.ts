import { expect } from 'vitest'
import type { SealedBlock } from '../../../src/model/event-sink.ts'
import type { ProcessInfo } from '../../../src/model/process-info.ts'
import { EVENT_READERS } from '../../../src/telemetry/decode/event-readers.ts'
import { readLogEntries } from '../../../src/telemetry/decode/log-entries.ts'
import { readMeasures } from '../../../src/telemetry/decode/measures.ts'
import { rebuildThreadSpans } from '../../../src/telemetry/decode/thread-spans.ts'
import { TickConverter } from '../../../src/telemetry/decode/tick-converter.ts'
import { BlockParser } from '../../../src/transit/parser.ts'
import type { TransitObject } from '../../../src/transit/value.ts'

const parsers = new WeakMap<object, BlockParser>()

/** The events of one block, read by the stream's own metadata. The block's ids are checked by the parser. */
export function parseBlock(block: SealedBlock): TransitObject[] {
  let parser = parsers.get(block.stream)
  if (parser === undefined) {
    parser = new BlockParser(block.stream, EVENT_READERS)
    parsers.set(block.stream, parser)
  }
  return [...parser.parse(block.dependencies, block.objects)]
}

/**
 * Fails unless a server would show everything in the blocks of one run: what `protocol.md` sections 7, 8 and 11 ask of
 * every block and of the blocks of a stream together.
 */
export function checkRun(blocks: readonly SealedBlock[], process: ProcessInfo): void {
  expect(new Set(blocks.map(({ blockId }) => blockId)).size).toBe(blocks.length)
  const ticks = new TickConverter(process)
  for (const stream of new Set(blocks.map((block) => block.stream))) {
    const ofStream = blocks.filter((block) => block.stream === stream)
    let offset = 0
    let beginTicks = process.startTicks
    for (const [index, block] of ofStream.entries()) {
      expect(block.eventCount).toBeGreaterThan(0)
      expect(block.objectOffset).toBe(offset)
      // Blocks of spans that are written when they end reach back into those before.
      const reachesBack = stream.kind === 'cpu' && parseBlock(block).every(isAsync)
      if (index > 0 && !reachesBack) expect(block.beginTicks).toBe(beginTicks)
      expect(block.beginTicks >= process.startTicks).toBe(true)
      offset += block.eventCount
      checkEvents(block, ticks)
      beginTicks = block.endTicks
    }
    if (stream.kind === 'cpu') {
      const relative = ofStream.map((block) => ({
        blockId: block.blockId,
        beginTicks: block.beginTicks - process.startTicks,
        endTicks: block.endTicks - process.startTicks,
        objectOffset: BigInt(block.objectOffset),
        objects: parseBlock(block),
      }))
      rebuildThreadSpans(relative, ticks, 'main')
    }
  }
}

function isAsync({ typeName }: TransitObject): boolean {
  return typeName.includes('AsyncSpan')
}

function checkEvents(block: SealedBlock, ticks: TickConverter): void {
  const events = parseBlock(block)
  expect(events.length).toBe(block.eventCount)
  let previous = block.beginTicks
  for (const event of events) {
    const time = event.get('time') as bigint
    if (time < previous) expect.fail(`an event at ${time} follows one at ${previous}`)
    previous = time
  }
  expect(previous <= block.endTicks).toBe(true)
  if (block.stream.kind === 'log') expect([...readLogEntries(events, ticks)].length).toBe(events.length)
  if (block.stream.kind === 'metrics') expect([...readMeasures(events, ticks)].length).toBe(events.length)
}
