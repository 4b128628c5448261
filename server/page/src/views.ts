import type { ComponentType } from 'preact'
import { LogsView } from './views/logs/logs-view.tsx'
import { MetricsView } from './views/metrics/metrics-view.tsx'
import { ProcessesView } from './views/processes/processes-view.tsx'
import { RequestsView } from './views/requests/requests-view.tsx'
import { SqlView } from './views/sql/sql-view.tsx'
import { TimelineView } from './views/timeline/timeline-view.tsx'

export interface View {
  /** Its part of the address. */
  readonly name: string
  readonly title: string
  /** Pressed after `g`. */
  readonly key: string
  readonly component: ComponentType
}

/** The first is shown where the address names none. */
export const VIEWS: readonly View[] = [
  { name: 'processes', title: 'Processes', key: 'p', component: ProcessesView },
  { name: 'logs', title: 'Logs', key: 'l', component: LogsView },
  { name: 'requests', title: 'Requests', key: 'r', component: RequestsView },
  { name: 'timeline', title: 'Timeline', key: 't', component: TimelineView },
  { name: 'metrics', title: 'Metrics', key: 'm', component: MetricsView },
  { name: 'sql', title: 'SQL', key: 's', component: SqlView },
]
