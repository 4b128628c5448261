import type { BlockEntry } from '../registry.ts'
import { type DecodedViewSet, VIEW_SETS } from '../schema.ts'
import { ColumnBuffer } from './column-buffer.ts'

/** Which blocks the rows that wait are of. */
export class DecodedLog {
  readonly viewSet: DecodedViewSet
  readonly buffer = new ColumnBuffer('decoded', ['i32', 'i32', 'i32', 'i32', 'i64', 'i64', 'i64', 'i64'])
  readonly #wallClock: () => number
  #entries: { readonly number: number; readonly isUnreadable: boolean }[] = []

  constructor(viewSet: DecodedViewSet, wallClock: () => number) {
    this.viewSet = viewSet
    this.#wallClock = wallClock
  }

  add(
    block: BlockEntry,
    count: { rowCount: number; bytes: bigint; minNs: bigint | undefined; maxNs: bigint | undefined },
  ): void {
    this.#push(block, 0, count.rowCount, count.bytes, count.minNs ?? block.fromNs, count.maxNs ?? block.toNs)
  }

  addUnreadable(block: BlockEntry): void {
    this.#push(block, 1, 0, 0n, block.fromNs, block.toNs)
  }

  take(): readonly { readonly number: number; readonly isUnreadable: boolean }[] {
    const entries = this.#entries
    this.#entries = []
    return entries
  }

  #push(block: BlockEntry, state: number, rows: number, bytes: bigint, minNs: bigint, maxNs: bigint): void {
    const updated = BigInt(Math.trunc(this.#wallClock())) * 1_000_000n
    this.buffer.push(VIEW_SETS[this.viewSet], block.number, state, rows, bytes, minNs, maxNs, updated)
    this.#entries.push({ number: block.number, isUnreadable: state === 1 })
  }
}
