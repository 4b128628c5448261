import type { TimeWindow } from '../tables/time-windows.ts'
import type { SqlBatch } from './engine.ts'
import type { TimeRange } from './views/time-range.ts'

type Rows = AsyncGenerator<SqlBatch, void, undefined>

/**
 * The first of some queries that gives as many rows as are wanted, and otherwise the last one, whatever it gives. Each reads more
 * than the one before, and gives the same rows once it gives enough.
 */
export async function* firstEnough(
  attempts: readonly (() => Rows)[],
  wanted: number,
  last: () => Rows,
): Rows {
  for (const attempt of attempts) {
    const held: SqlBatch[] = []
    let count = 0
    for await (const batch of attempt()) {
      held.push(batch)
      count += batch.rowCount
    }
    if (count < wanted) continue
    yield* held
    return
  }
  yield* last()
}

/** The part of a window that a query's own range has. */
export function within(window: TimeWindow, range: TimeRange | undefined): TimeRange {
  if (range === undefined) return window
  return {
    beginNs: window.beginNs > range.beginNs ? window.beginNs : range.beginNs,
    endNs: window.endNs < range.endNs ? window.endNs : range.endNs,
  }
}
