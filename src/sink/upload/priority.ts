import type { StreamKind } from '../../model/event-sink.ts'

/** Order of importance, most important first; the reference sink's classes. */
export const Priority = { Metadata: 0, Logs: 1, Metrics: 2, Traces: 3 } as const
export type Priority = (typeof Priority)[keyof typeof Priority]

export const PRIORITIES: readonly Priority[] = [0, 1, 2, 3]

/** What is counted apart: the kinds of streams, and the descriptions of processes and streams. */
export type ItemKind = StreamKind | 'metadata'

const PRIORITY_OF: Readonly<Record<ItemKind, Priority>> = {
  metadata: Priority.Metadata,
  log: Priority.Logs,
  metrics: Priority.Metrics,
  cpu: Priority.Traces,
  image: Priority.Traces,
}

export function priorityOf(kind: ItemKind): Priority {
  return PRIORITY_OF[kind]
}
