import type { Process } from '../../data/process.ts'

/** One line of the list: a run, below the run that started it, with the earlier runs of the same program. */
export interface ProcessLine {
  readonly process: Process
  readonly depth: number
  readonly earlier: readonly Process[]
}

/**
 * Children below their parents, and the runs of one program on one machine as one line, the latest standing for all: a service that
 * is restarted all day stays one line. A run whose parent or children are shown stays a line of its own.
 *
 * @param processes - The newest first.
 */
export function processLines(processes: readonly Process[]): ProcessLine[] {
  const known = new Set(processes.map(({ id }) => id))
  const parentOf = (process: Process): string | undefined =>
    process.parentId !== undefined && process.parentId !== process.id && known.has(process.parentId)
      ? process.parentId
      : undefined
  const children = new Map<string | undefined, Process[]>()
  for (const process of processes) {
    const siblings = children.get(parentOf(process))
    if (siblings === undefined) children.set(parentOf(process), [process])
    else siblings.push(process)
  }
  const lines: ProcessLine[] = []
  const visited = new Set<string>()
  const add = (siblings: readonly Process[], depth: number): void => {
    const groups = new Map<string, Process[]>()
    for (const process of siblings) {
      if (visited.has(process.id)) continue
      visited.add(process.id)
      const alone = children.has(process.id) ? `\0${process.id}` : ''
      const group = `${process.computer}\0${process.exe}${alone}`
      const runs = groups.get(group)
      if (runs === undefined) groups.set(group, [process])
      else runs.push(process)
    }
    for (const [latest, ...earlier] of groups.values()) {
      lines.push({ process: latest!, depth, earlier })
      add(children.get(latest!.id) ?? [], depth + 1)
    }
  }
  add(children.get(undefined) ?? [], 0)
  // Parents that go round in a circle, as damaged data may have them, have no beginning.
  add(
    processes.filter(({ id }) => !visited.has(id)),
    0,
  )
  return lines
}
