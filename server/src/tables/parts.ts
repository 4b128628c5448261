import type { BlockEntry } from './registry.ts'

const HOUR_NS = 3_600_000_000_000n

/** The hour in which a block was inserted, in nanoseconds since the Unix epoch. */
export function hourOf(block: BlockEntry): bigint {
  return block.insertNs - (block.insertNs % HOUR_NS)
}

/** Names the calls that are rebuilt together: those of a stream in an hour. */
export function partOf(block: BlockEntry): string {
  return `${block.stream.number}/${hourOf(block)}`
}
