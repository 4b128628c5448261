import { runMeasured } from '../support/measured-process.ts'
import { type Figure, type GroupResult, makeFigure } from './figures.ts'
import { GROUPS, type Group, ROWS, type Row } from './rows.ts'

export interface HotPathPlan {
  readonly node: string
  readonly rounds: number
  /** Processes to measure, one after the other. @defaultValue all */
  readonly groups?: readonly Group[] | undefined
}

export interface HotPathResult {
  readonly row: Row
  readonly figure: Figure
}

/** A round's code is compiled and its blocks are warm well before this. */
const WARM_UP_ROUNDS = 25

/** Measures the groups, each in a process of its own, and gives the rows of the table that they have. */
export async function measureHotPath(plan: HotPathPlan): Promise<readonly HotPathResult[]> {
  const groups = plan.groups ?? (Object.keys(GROUPS) as Group[])
  const results: HotPathResult[] = []
  for (const group of groups) {
    const { script, args } = GROUPS[group]
    const { samples } = await runMeasured<GroupResult>({
      script,
      args: [String(plan.rounds), String(WARM_UP_ROUNDS), ...args],
      node: plan.node,
    })
    for (const row of ROWS) {
      if (row.group === group) results.push({ row, figure: makeFigure(samples, row.subject, row.ratio) })
    }
  }
  return results
}
