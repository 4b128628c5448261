import { compare } from '../nanoseconds.ts'
import type { StoredBlock } from '../store/store-index.ts'

/** Where an event stands among all events: by time, then by block, then by its index in the block. */
export interface EventPosition {
  /** Nanoseconds since the Unix epoch. */
  readonly timeNs: bigint
  readonly blockId: string
  readonly index: number
}

export type EventOrder = 'newest' | 'oldest'

/** One page of rows. */
export interface Page<Row> {
  readonly rows: readonly Row[]
  /** Asks for the rows that follow; `undefined` when there are none. */
  readonly nextCursor: string | undefined
  /** Blocks that were passed over because they cannot be read. */
  readonly unreadableBlocks: number
}

/** A block that may hold rows. */
export interface ScanSource {
  readonly block: StoredBlock
  /** Times between which the block's events are, in nanoseconds since the Unix epoch, both included. */
  readonly fromNs: bigint
  readonly toNs: bigint
}

/** Which events of a block a page may show. */
export interface PageWindow {
  readonly order: EventOrder
  /** More of a block's events than this, counted from where the page starts, cannot be on it. */
  readonly limit: number
  accepts(timeNs: bigint, blockId: string, index: number): boolean
}

/** What a block holds for a query. */
export interface BlockRows<Row> {
  /** Those that the window accepts, in any order; `undefined` when the block cannot be read. */
  readonly rows: readonly Row[] | undefined
  /** What reading it cost: its decompressed size. */
  readonly bytes: number
}

export interface ScanRequest<Row extends EventPosition> {
  readonly sources: readonly ScanSource[]
  readonly read: (block: StoredBlock, window: PageWindow) => Promise<BlockRows<Row>>
  readonly order: EventOrder
  readonly limit: number
  /** First time of interest. */
  readonly sinceNs: bigint | undefined
  /** First time of no interest any more. */
  readonly untilNs: bigint | undefined
  readonly cursor: Cursor | undefined
  /**
   * Ends the page early once blocks of so many bytes, decompressed, were read: a rare word must not read the whole disk,
   * nor an answer take the whole memory.
   */
  readonly budgetBytes: number
  /** @throws Its reason, once it is aborted. */
  readonly signal?: AbortSignal | undefined
}

/** A position to go on from: after an event, or at a time. */
export type Cursor = EventPosition | { readonly timeNs: bigint; readonly blockId?: undefined }

export function formatCursor(cursor: Cursor): string {
  return cursor.blockId === undefined
    ? `${cursor.timeNs}`
    : `${cursor.timeNs}_${cursor.blockId}_${cursor.index}`
}

/** @returns `undefined` when the text is none that {@link formatCursor} wrote. */
export function parseCursor(text: string): Cursor | undefined {
  const [, time, blockId, index] = /^(-?\d{1,19})(?:_([0-9a-f-]{36})_(\d{1,10}))?$/.exec(text) ?? []
  if (time === undefined) return undefined
  const timeNs = BigInt(time)
  return blockId === undefined ? { timeNs } : { timeNs, blockId, index: Number(index) }
}

/**
 * Merges the events of many blocks into one order, reading no more blocks than the page needs: a block is opened once no
 * later one could hold an event that comes before those at hand.
 */
export async function scan<Row extends EventPosition>(request: ScanRequest<Row>): Promise<Page<Row>> {
  const { order, limit, cursor, sinceNs, untilNs } = request
  const sign = order === 'oldest' ? 1 : -1
  const byPosition = (a: EventPosition, b: EventPosition): number => sign * comparePositions(a, b)
  const window: PageWindow = {
    order,
    limit: limit + 1,
    accepts: (timeNs, blockId, index) =>
      (sinceNs === undefined || timeNs >= sinceNs) &&
      (untilNs === undefined || timeNs < untilNs) &&
      (cursor === undefined || isAfter(timeNs, blockId, index, cursor, sign)),
  }
  const edgeOf = (source: ScanSource): bigint => (order === 'oldest' ? source.fromNs : source.toNs)

  const sources = request.sources
    .filter(
      ({ fromNs, toNs }) =>
        (sinceNs === undefined || toNs >= sinceNs) &&
        (untilNs === undefined || fromNs < untilNs) &&
        (cursor === undefined || (order === 'oldest' ? toNs >= cursor.timeNs : fromNs <= cursor.timeNs)),
    )
    .sort((a, b) => sign * compare(edgeOf(a), edgeOf(b)))

  // In reading order: where the page starts, and where the blocks not yet opened start.
  const start = sources[0] === undefined ? 0n : later(edgeOf(sources[0]), cursor?.timeNs, sign)
  let pending: Row[] = []
  let readBytes = 0
  let unreadableBlocks = 0
  for (const source of sources) {
    const edge = later(edgeOf(source), start, sign)
    const surplus = pending[limit]
    if (surplus !== undefined && sign * compare(surplus.timeNs, edge) < 0) break
    // Without progress in time the next page would read the same blocks for ever.
    if (readBytes >= request.budgetBytes && sign * compare(start, edge) < 0) {
      const certain = pending.filter((row) => sign * compare(row.timeNs, edge) < 0)
      if (certain.length <= limit) {
        return { rows: certain, nextCursor: formatCursor({ timeNs: edge }), unreadableBlocks }
      }
      break
    }
    request.signal?.throwIfAborted()
    const { rows, bytes } = await request.read(source.block, window)
    readBytes += bytes
    if (rows === undefined) unreadableBlocks += 1
    else pending = mergeInto(pending, [...rows].sort(byPosition), byPosition, limit + 1)
  }
  const rows = pending.slice(0, limit)
  const last = rows.at(-1)
  const hasMore = pending.length > limit && last !== undefined
  return { rows, nextCursor: hasMore ? formatCursor(last) : undefined, unreadableBlocks }
}

function mergeInto<Row>(a: Row[], b: Row[], order: (a: Row, b: Row) => number, limit: number): Row[] {
  const first = b[0]
  if (first === undefined) return a
  const last = a.at(-1)
  // Most blocks follow one another.
  if (last === undefined || order(last, first) <= 0) return appendUpTo(a, b, limit)
  const merged: Row[] = []
  let i = 0
  let j = 0
  while (merged.length < limit && (i < a.length || j < b.length)) {
    const fromA = a[i]
    const fromB = b[j]
    if (fromB === undefined || (fromA !== undefined && order(fromA, fromB) <= 0)) {
      merged.push(fromA as Row)
      i += 1
    } else {
      merged.push(fromB)
      j += 1
    }
  }
  return merged
}

function appendUpTo<Row>(a: Row[], b: readonly Row[], limit: number): Row[] {
  for (const row of b) {
    if (a.length >= limit) break
    a.push(row)
  }
  return a
}

function isAfter(timeNs: bigint, blockId: string, index: number, cursor: Cursor, sign: number): boolean {
  if (timeNs !== cursor.timeNs) return sign * compare(timeNs, cursor.timeNs) > 0
  if (cursor.blockId === undefined) return true
  return sign * (compareTexts(blockId, cursor.blockId) || index - cursor.index) > 0
}

function later(a: bigint, b: bigint | undefined, sign: number): bigint {
  return b === undefined || sign * compare(a, b) > 0 ? a : b
}

export function comparePositions(a: EventPosition, b: EventPosition): number {
  return compare(a.timeNs, b.timeNs) || compareTexts(a.blockId, b.blockId) || a.index - b.index
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
