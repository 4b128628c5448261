import type { StreamKind } from '../../model/event-sink.ts'
import type { HttpEventSink } from '../../sink/http-event-sink.ts'
import type { Dispatch, RecordingStats } from '../../tracing/dispatch.ts'
import { reportDrops } from './drop-report.ts'
import { type AccountColumn, recordCount } from './self-metrics.ts'

const KINDS: readonly StreamKind[] = ['log', 'metrics', 'cpu', 'image']

/** Why events were lost before they came to a sink. */
export const RECORDING_DROP_REASONS = ['not_running', 'invalid'] as const
export type RecordingDropReason = (typeof RECORDING_DROP_REASONS)[number]

interface Row {
  readonly column: AccountColumn
  readonly kind: StreamKind
  count: number
  readonly reason?: RecordingDropReason
}

/**
 * What a process says of itself with its last blocks, so that what a server has can be compared with it: the events of
 * each kind that were recorded, acknowledged so far, and dropped by reason, as metrics of the target `micromegas`.
 *
 * Every metric says what has been added since the last account; their sums are the totals, over threads as well. The
 * account counts its own events as recorded: where nothing was lost, the sum of `telemetry_recorded_metrics` is the number
 * of the process's metrics that the server has, the account included.
 */
export class Account {
  readonly #dispatch: Dispatch
  readonly #sinks: readonly HttpEventSink[]
  readonly #told: Map<string, number> = new Map()

  /** @param sinks - All that upload; the first one's deliveries count, as each gets every block. */
  constructor(dispatch: Dispatch, sinks: readonly HttpEventSink[]) {
    this.#dispatch = dispatch
    this.#sinks = sinks
    // What an earlier run recorded was in its own account.
    for (const row of recordingRows(dispatch.statsAtStop)) this.#told.set(keyOf(row), row.count)
  }

  /** Records what has been added since the last call. */
  record(): void {
    const [sink] = this.#sinks
    if (sink === undefined) return
    reportDrops(this.#sinks, { final: true })
    const delivered = sink
      .stats()
      .deliveries.map(({ kind, events }): Row => ({ column: 'delivered', kind, count: events }))
    const rows = [...recordingRows(this.#dispatch.stats), ...delivered].filter((row) => this.#takeNew(row))
    const own = rows.find(({ column, kind }) => column === 'recorded' && kind === 'metrics')
    if (own !== undefined) own.count += rows.length
    else rows.push({ column: 'recorded', kind: 'metrics', count: rows.length + 1 })
    for (const { column, kind, count, reason } of rows) recordCount(column, kind, count, reason && { reason })
    this.#told.set('recorded metrics', this.#dispatch.stats.metrics.recorded)
  }

  /** Leaves what is new of a row's count in it; false when that is nothing. */
  #takeNew(row: Row): boolean {
    const key = keyOf(row)
    const told = this.#told.get(key) ?? 0
    this.#told.set(key, row.count)
    row.count -= told
    return row.count > 0
  }
}

function recordingRows(stats: RecordingStats): Row[] {
  return KINDS.flatMap((kind): Row[] => [
    { column: 'recorded', kind, count: stats[kind].recorded },
    { column: 'dropped', kind, count: stats[kind].dropped, reason: 'not_running' },
    { column: 'dropped', kind, count: stats[kind].invalid, reason: 'invalid' },
  ])
}

function keyOf({ column, kind, reason }: Row): string {
  return reason === undefined ? `${column} ${kind}` : `${column} ${kind} ${reason}`
}
