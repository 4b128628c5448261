import { expect } from 'vitest'
import type { Decoded, DecodedRecord } from './decoded.ts'
import { blocksOf } from './event-shape.ts'

/** Checks what servers rely on in the blocks of every stream and in their events' times. */
export function expectWellFormedBlocks(decoded: Decoded): void {
  expect(new Set(decoded.blocks.map((block) => block.blockId)).size).toBe(decoded.blocks.length)
  const startTicks = new Map(decoded.processes.map((process) => [process.processId, process.startTicks]))
  for (const stream of decoded.streams) {
    let offset = 0n
    let endTicks: bigint | undefined
    for (const block of blocksOf(decoded, stream.streamId)) {
      expect(block.processId).toBe(stream.processId)
      expect(block.objectOffset).toBe(offset)
      expect(block.objectCount).toBe(block.events.length)
      // Blocks of spans that are written when they end reach back into those before.
      const reachesBack = block.events.every(({ typeName }) => typeName.includes('AsyncSpan'))
      if (endTicks !== undefined && !reachesBack) expect(block.beginTicks).toBe(endTicks)
      const ticks = [
        block.beginTicks,
        ...block.events.map((event) => timeOf(event) - startTicks.get(stream.processId)!),
        block.endTicks,
      ]
      expect(ticks).toEqual(ticks.toSorted((a, b) => Number(a - b)))
      offset += BigInt(block.objectCount)
      endTicks = block.endTicks
    }
  }
}

function timeOf(event: DecodedRecord): bigint {
  const time = event.members.get('time')
  if (typeof time !== 'object' || !('kind' in time) || time.kind !== 'i64') {
    throw new Error(`${event.typeName} has no time`)
  }
  return time.value as bigint
}
