import { query, type TimeRange } from '../../data/query.ts'
import { literal } from '../../data/sql.ts'
import { type SpanRow, SpanTable } from './span-table.ts'
import { MAX_SPANS, spansSql } from './spans-sql.ts'

export interface Sample {
  readonly t: number
  readonly v: number
}

/** A metric of the process, as a line. */
export interface Line {
  readonly label: string
  readonly unit: 's' | 'By' | '1'
  readonly samples: readonly Sample[]
}

export interface Tick {
  readonly t: number
  readonly level: number
}

export interface Collection {
  readonly t: number
  /** Nanoseconds. */
  readonly d: number
  readonly kind: string
}

export interface Image {
  readonly t: number
  readonly name: string
  readonly block_id: string
  readonly time: string
}

export interface TimelineData {
  readonly processId: string
  readonly range: TimeRange
  readonly spans: SpanTable
  /** Whether short spans were left out, because there are too many. */
  readonly shortened: boolean
  readonly lines: readonly Line[]
  readonly collections: readonly Collection[]
  readonly ticks: readonly Tick[]
  readonly images: readonly Image[]
}

const MAX_SAMPLES = 20_000

const LINES = [
  { name: 'nodejs.eventloop.delay.max', label: 'event loop delay, longest', unit: 's' },
  { name: 'process.cpu.utilization', label: 'cpu', unit: '1' },
  { name: 'process_resident_bytes', label: 'memory, resident', unit: 'By' },
] as const

interface MeasureRow {
  name: string
  t: number
  v: number
  kind: string | null
}

/** Asks for all that is shown of a process in a range. */
export async function readTimeline(
  processId: string,
  range: TimeRange,
  signal: AbortSignal,
): Promise<TimelineData> {
  const options = { range, signal }
  const mine = `process_id = ${literal(processId)}`
  const since = (column: string): string => `cast(${column} AS bigint) - ${range.beginNs} AS t`
  const names = [...LINES.map(({ name }) => name), 'v8js.gc.duration']
  const [all, measures, ticks, images] = await Promise.all([
    query<SpanRow>(spansSql(processId, range.beginNs), options),
    query<MeasureRow>(
      `SELECT name, ${since('time')}, value AS v, property_get(properties, 'v8js.gc.type') AS kind
FROM measures
WHERE ${mine} AND name IN (${names.map(literal).join(', ')})
ORDER BY time
LIMIT ${MAX_SAMPLES}`,
      options,
    ),
    query<Tick>(
      `SELECT ${since('time')}, level FROM log_entries WHERE ${mine} ORDER BY level, time LIMIT ${MAX_SAMPLES}`,
      options,
    ),
    query<Image>(
      `SELECT ${since('time')}, name, block_id, time FROM view_instance('images', ${literal(processId)}) ORDER BY time LIMIT 1000`,
      options,
    ),
  ])
  let spans = all
  const shortened = all.length === MAX_SPANS
  if (shortened) {
    // What is shorter than a pixel of a wide screen cannot be seen.
    const shortest = Math.ceil(Number(range.endNs - range.beginNs) / 4000)
    spans = await query<SpanRow>(spansSql(processId, range.beginNs, shortest), options)
  }
  return {
    processId,
    range,
    spans: new SpanTable(spans),
    shortened,
    lines: LINES.map(({ name, label, unit }) => ({
      label,
      unit,
      samples: summed(measures.filter((row) => row.name === name)),
    })).filter(({ samples }) => samples.length > 0),
    // Each is recorded when it is over.
    collections: measures
      .filter(({ name }) => name === 'v8js.gc.duration')
      .map(({ t, v, kind }) => ({ t: t - v * 1e9, d: v * 1e9, kind: kind ?? 'gc' })),
    ticks,
    images,
  }
}

/** Processor time comes as user and system, a moment apart. */
function summed(rows: readonly MeasureRow[]): Sample[] {
  const samples: { t: number; v: number }[] = []
  for (const { t, v } of rows) {
    const last = samples.at(-1)
    if (last !== undefined && t - last.t < 1e7) last.v += v
    else samples.push({ t, v })
  }
  return samples
}
