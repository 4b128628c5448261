import { Level } from '../model/level.ts'
import type { HttpEventSink } from '../sink/http-event-sink.ts'
import { type IntegerMetric, imetric } from '../tracing/metric.ts'
import { propertySet } from '../tracing/property-set.ts'
import { recordLog } from '../tracing/record-log.ts'

/** Target of what the SDK records about itself. */
const SELF_TARGET = 'micromegas'

/**
 * Records what uploads have given up since the last report: one metric a kind, tagged with the reason, under the
 * reference SDK's names (`telemetry_dropped_logs` …), and one warning. To be called from the flush tick, never from the
 * enqueue path: recording there would fill the queue that is being shed.
 */
export function reportDrops(sinks: readonly HttpEventSink[]): void {
  const drops = sinks.flatMap((sink) => sink.takeDrops())
  if (drops.length === 0) return
  for (const { kind, reason, events, blocks } of drops) {
    metricOf(kind).record(kind === 'metadata' ? blocks : events, propertySet({ reason }))
  }
  const list = drops.map(({ kind, reason, events, blocks }) =>
    kind === 'metadata' ? `${blocks} metadata requests (${reason})` : `${events} ${kind} events (${reason})`,
  )
  recordLog(Level.Warn, SELF_TARGET, `telemetry was lost: ${list.join(', ')}`)
}

const NAMES = {
  metadata: 'telemetry_dropped_metadata',
  log: 'telemetry_dropped_logs',
  metrics: 'telemetry_dropped_metrics',
  cpu: 'telemetry_dropped_traces',
  image: 'telemetry_dropped_traces',
} as const

function metricOf(kind: keyof typeof NAMES): IntegerMetric {
  return imetric(NAMES[kind], 'count', { target: SELF_TARGET })
}
