import type { ItemKind } from '../../sink/upload/priority.ts'
import { imetric } from '../../tracing/metric.ts'
import { propertySet } from '../../tracing/values/property-set.ts'

/** Target of what the SDK records about itself. */
export const SELF_TARGET = 'micromegas'

/** How the metrics call the kinds; the first four are the reference SDK's. */
const SUFFIXES: Readonly<Record<ItemKind, string>> = {
  metadata: 'metadata',
  log: 'logs',
  metrics: 'metrics',
  cpu: 'traces',
  image: 'images',
}

/** What a count is of: events written to a block, acknowledged by the server, lost. */
export type AccountColumn = 'recorded' | 'delivered' | 'dropped'

/** Records so many events of a kind, as the metric `telemetry_dropped_logs` and its like. */
export function recordCount(
  column: AccountColumn,
  kind: ItemKind,
  count: number,
  properties?: Readonly<Record<string, string>>,
): void {
  const metric = imetric(`telemetry_${column}_${SUFFIXES[kind]}`, 'count', { target: SELF_TARGET })
  metric.record(count, properties && propertySet(properties))
}
