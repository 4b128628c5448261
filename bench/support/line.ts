import { formatGoal, formatVerdict, type Goal } from './goal.ts'
import { formatNumber, formatTable } from './table.ts'

/** One figure of a benchmark, as the documentation shows it beside those of other Node versions. */
export interface Line {
  /** Table that the line stands in. */
  readonly section: string
  readonly label: string
  readonly figure: number
  readonly unit: string
  readonly goal?: Goal | undefined
}

export function formatLines(lines: readonly Line[]): string {
  return formatTable(
    ['', 'figure', 'in', 'goal', ''],
    lines.map(({ label, figure, unit, goal }) => [
      label,
      formatFigure(figure),
      unit,
      formatGoal(goal),
      formatVerdict(figure, goal),
    ]),
  )
}

/** Large numbers with separators, others with the digits that carry information. */
export function formatFigure(figure: number): string {
  return figure >= 10_000 ? Math.round(figure).toLocaleString('en') : formatNumber(figure)
}
