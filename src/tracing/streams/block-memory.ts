import type { SealedBlock } from '../../model/event-sink.ts'

/** Bytes of a log, metrics or span block's events before it is sealed. */
export const BLOCK_BYTES: number = 512 * 1024

/** Buffers kept for the next blocks, at most 2 MiB a thread: as many blocks as are compressed at a time. */
const MAX_SPARE = 4

const spare: Buffer[] = []

/**
 * Memory for a block. Memory that has held one before comes first: the first write to each page of new memory costs the
 * kernel more than all the events that go there cost us.
 */
export function takeMemory(size: number): Buffer {
  return (size === BLOCK_BYTES ? spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(size)
}

/** Takes back memory that nobody reads any more. */
export function giveBackMemory(bytes: Buffer): void {
  if (bytes.byteLength === BLOCK_BYTES && spare.length < MAX_SPARE) spare.push(bytes)
}

/** The block for each of several readers: its memory is released once all of them have released it. */
export function shareBlock(block: SealedBlock, readers: number): readonly SealedBlock[] {
  const { release } = block
  if (readers === 1 || release === undefined) return new Array<SealedBlock>(readers).fill(block)
  let reading = readers
  const releaseOne = (): void => {
    if (--reading === 0) release()
  }
  return Array.from({ length: readers }, () => ({ ...block, release: once(releaseOne) }))
}

/** A second release of the same block must not free memory that holds another one by then. */
export function once(call: () => void): () => void {
  let called = false
  return () => {
    if (called) return
    called = true
    call()
  }
}
