import { Level } from '../../model/level.ts'
import type { HttpEventSink } from '../../sink/http-event-sink.ts'
import { recordLog } from '../../tracing/logs/record-log.ts'
import { recordCount, SELF_TARGET } from './self-metrics.ts'

/**
 * Records what uploads have given up since the last report: one metric a kind, tagged with the reason, under the
 * reference SDK's names (`telemetry_dropped_logs` …), and one warning. To be called from the flush tick, never from the
 * enqueue path: recording there would fill the queue that is being shed.
 *
 * @param options.final - Whether this is the last report, which has everything.
 */
export function reportDrops(sinks: readonly HttpEventSink[], options?: { readonly final: boolean }): void {
  const drops = sinks.flatMap((sink) => sink.takeDrops(options))
  if (drops.length === 0) return
  for (const { kind, reason, events, blocks } of drops) {
    recordCount('dropped', kind, kind === 'metadata' ? blocks : events, { reason })
  }
  const list = drops.map(({ kind, reason, events, blocks }) =>
    kind === 'metadata' ? `${blocks} metadata requests (${reason})` : `${events} ${kind} events (${reason})`,
  )
  recordLog(Level.Warn, SELF_TARGET, `telemetry was lost: ${list.join(', ')}`)
}
