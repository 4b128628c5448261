/** A bound from the project's goals: on the figure as it is printed, in the figure's unit. */
export interface Goal {
  readonly atMost?: number | undefined
  readonly atLeast?: number | undefined
}

export function meets(figure: number, goal: Goal): boolean {
  return (
    figure <= (goal.atMost ?? Number.POSITIVE_INFINITY) &&
    figure >= (goal.atLeast ?? Number.NEGATIVE_INFINITY)
  )
}

export function formatGoal(goal: Goal | undefined): string {
  if (goal?.atMost !== undefined) return `≤ ${goal.atMost}`
  if (goal?.atLeast !== undefined) return `≥ ${goal.atLeast}`
  return ''
}

export function formatVerdict(figure: number, goal: Goal | undefined): string {
  if (goal === undefined) return ''
  return meets(figure, goal) ? 'pass' : 'MISS'
}
