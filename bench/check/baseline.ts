import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { HotPathResult } from '../hot-path/hot-path.ts'
import type { Group } from '../hot-path/rows.ts'
import { benchPath } from '../support/measured-process.ts'

/** Clock reads of each row, by major version of Node: what compilers make of the same code differs. */
export type Baseline = Readonly<Record<string, Readonly<Record<string, number>>>>

/** The groups that measure nothing but this package. */
export const CHECKED_GROUPS: readonly Group[] = ['recording', 'off', 'not started']

const FILE = benchPath('baseline.json')

export function readBaseline(): Baseline {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Baseline) : {}
}

/** Puts the figures of one version of Node in the place of those that are there. */
export function writeBaseline(major: string, figures: ReadonlyMap<string, number>): void {
  const rounded = [...figures].map(([id, reads]) => [id, Number(reads.toFixed(3))] as const)
  const baseline = { ...readBaseline(), [major]: Object.fromEntries(rounded) }
  writeFileSync(FILE, `${JSON.stringify(baseline, undefined, 2)}\n`)
}

/** A difference of two figures that are each a hundred times as large: it says what is added, not whether it grew. */
const UNSTEADY: ReadonlySet<string> = new Set(['off.span.async', 'not-started.span.async'])

/** The figures that are checked: of rows that have a goal, in reads of the clock by its cheapest way. */
export function checkedFigures(results: readonly HotPathResult[]): ReadonlyMap<string, number> {
  return new Map(
    results
      .filter(({ row }) => row.goal !== undefined && !UNSTEADY.has(row.id))
      .map(({ row, figure }) => [row.id, figure.cheapestReads]),
  )
}
