import type { TimeRange } from '../nanoseconds.ts'
import { batchBytes, type SqlBatch } from './engine.ts'

type Rows = AsyncGenerator<SqlBatch, void, undefined>

/** Of an answer that may turn out to be too short; a longer one is begun anew, and handed on as it comes. */
const MAX_HELD_BYTES = 64 * 1024 * 1024

/**
 * The first of some queries that gives as many rows as are wanted, and otherwise the last one, whatever it gives. Each reads more
 * than the one before, and gives the same rows once it gives enough.
 */
export async function* firstEnough(
  attempts: readonly (() => Rows)[],
  wanted: number,
  last: () => Rows,
  maxBytes = MAX_HELD_BYTES,
): Rows {
  for (const attempt of attempts) {
    const held: SqlBatch[] = []
    let [rows, bytes] = [0, 0]
    for await (const batch of attempt()) {
      held.push(batch)
      rows += batch.rowCount
      bytes += batchBytes(batch)
      if (bytes > maxBytes) break
    }
    if (bytes > maxBytes) break
    if (rows < wanted) continue
    yield* held
    return
  }
  yield* last()
}

/** The part of a window that a query's own range has. */
export function within(window: TimeRange, range: TimeRange | undefined): TimeRange {
  if (range === undefined) return window
  return {
    beginNs: window.beginNs > range.beginNs ? window.beginNs : range.beginNs,
    endNs: window.endNs < range.endNs ? window.endNs : range.endNs,
  }
}
