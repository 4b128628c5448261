import type { TimeText } from '../../data/time.ts'

export interface LogRow {
  readonly insert_time: TimeText
  readonly block_id: string
  readonly process_id: string
  readonly time: TimeText
  readonly level: number
  readonly target: string
  readonly msg: string
  readonly properties: Readonly<Record<string, string>> | null
}

const OVERLAP_S = 5

/**
 * The rows that the page holds, oldest first, at most {@link LogWindow.MAX_ROWS}. Blocks come in any order, and those that came
 * at once may become visible one after the other: the next question goes back some seconds, and leaves out the blocks it has.
 */
export class LogWindow {
  static readonly MAX_ROWS = 50_000

  #rows: readonly LogRow[] = []
  #blocks = new Map<string, TimeText>()
  #newest: TimeText | undefined
  /** Of the first answer, where it had not all rows. */
  #cut: { readonly newestBlock: TimeText; readonly oldestRow: TimeText } | undefined

  get rows(): readonly LogRow[] {
    return this.#rows
  }

  /** How many rows came between one question and the next and could not be had. */
  missed = 0

  /** What the next question must ask for, besides the filters. */
  get unseen(): string[] {
    if (this.#newest === undefined) return []
    const known = [...this.#blocks.keys()].map((id) => `'${id}'`)
    return [
      `insert_time >= timestamp '${this.#newest}' - interval '${OVERLAP_S} seconds'`,
      ...(known.length === 0 ? [] : [`block_id NOT IN (${known.join(', ')})`]),
      ...(this.#cut === undefined ? [] : [newerThan(this.#cut)]),
    ]
  }

  /**
   * Takes rows that are new.
   *
   * @param newestFirst - As the query gives them.
   * @param isCut - These are the first, and there may be rows before them: those are no news.
   */
  add(newestFirst: readonly LogRow[], isCut = false): void {
    const oldest = newestFirst.at(-1)
    if (oldest === undefined) return
    for (const { block_id, insert_time } of newestFirst) {
      this.#blocks.set(block_id, insert_time)
      if (this.#newest === undefined || insert_time > this.#newest) this.#newest = insert_time
    }
    if (isCut) this.#cut = { newestBlock: this.#newest!, oldestRow: oldest.time }
    this.#forgetOldBlocks()
    this.#rows = merged(this.#rows, newestFirst.toReversed()).slice(-LogWindow.MAX_ROWS)
  }

  /** Takes rows from before those that are held. */
  addOlder(newestFirst: readonly LogRow[]): number {
    const [first] = this.#rows
    const older = first === undefined ? newestFirst : newestFirst.filter((row) => row.time < first.time)
    this.#rows = [...older.toReversed(), ...this.#rows].slice(0, LogWindow.MAX_ROWS)
    return older.length
  }

  #forgetOldBlocks(): void {
    const newestMs = Date.parse(this.#newest!)
    for (const [id, time] of this.#blocks)
      if (newestMs - Date.parse(time) > (OVERLAP_S + 1) * 1000) this.#blocks.delete(id)
  }
}

/** What came after an answer, whatever its time; and what has a time within the answer but was not seen yet. */
function newerThan({ newestBlock, oldestRow }: Record<'newestBlock' | 'oldestRow', TimeText>): string {
  return `(insert_time > timestamp '${newestBlock}' OR time >= timestamp '${oldestRow}')`
}

/** Two lists in order of time as one. */
function merged(held: readonly LogRow[], fresh: readonly LogRow[]): LogRow[] {
  const last = held.at(-1)
  if (last === undefined || last.time <= fresh[0]!.time) return [...held, ...fresh]
  const rows: LogRow[] = []
  let i = 0
  for (const row of fresh) {
    while (i < held.length && held[i]!.time <= row.time) rows.push(held[i++]!)
    rows.push(row)
  }
  while (i < held.length) rows.push(held[i++]!)
  return rows
}
