import type { StreamKind, TelemetryStats } from '../../../src/index.ts'

/** Events of a kind that the upload counted as dropped, for whatever reason. */
export function droppedEvents({ upload }: TelemetryStats, kind: StreamKind): number {
  return upload!.drops.filter((drop) => drop.kind === kind).reduce((sum, { events }) => sum + events, 0)
}

export function numbersBelow(end: number): number[] {
  return Array.from({ length: end }, (_, number) => number)
}

/** Ranges of the numbers, with what is there more than once: `0-99 twice:5`. */
export function summary(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b)
  const parts: string[] = []
  let first = sorted[0]
  for (const [index, number] of sorted.entries()) {
    const next = sorted[index + 1]
    if (next === number) parts.push(`twice:${number}`)
    else if (next !== number + 1) {
      parts.push(`${first}-${number}`)
      first = next
    }
  }
  return parts.slice(0, 50).join(' ')
}

/** Sum over all kinds. */
export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
