import { all, literal } from '../../data/sql.ts'

export interface MetricRow {
  readonly target: string
  readonly name: string
  readonly unit: string
  readonly n: number
}

function mine(processId: string | undefined): string[] {
  return processId === undefined ? [] : [`process_id = ${literal(processId)}`]
}

/** The metrics there are, those of the program before those of Node itself. */
export function metricsSql(processId: string | undefined): string {
  return `SELECT target, name, unit, count(*) AS n
FROM measures
${all(mine(processId))}
GROUP BY target, name, unit
ORDER BY CASE WHEN target = 'runtime' THEN 1 ELSE 0 END, target, name
LIMIT 200`
}

export interface PointRow {
  readonly t: string
  readonly n: number
  readonly avg: number
  readonly min: number
  readonly max: number
  readonly p50: number
  readonly p99: number
  readonly key: string | null
}

/** A metric over time; by the values of a property, where one is named. */
export function seriesSql(
  processId: string | undefined,
  metric: Pick<MetricRow, 'target' | 'name' | 'unit'>,
  binSeconds: number,
  by: string | undefined,
): string {
  const key = by === undefined ? "''" : `coalesce(property_get(properties, ${literal(by)}), '')`
  return `SELECT date_bin(interval '${binSeconds} seconds', time) AS t, ${key} AS key, count(*) AS n, avg(value) AS avg,
  min(value) AS min, max(value) AS max, approx_percentile_cont(value, 0.5) AS p50, approx_percentile_cont(value, 0.99) AS p99
FROM measures
${all([
  ...mine(processId),
  `target = ${literal(metric.target)}`,
  `name = ${literal(metric.name)}`,
  `unit = ${literal(metric.unit)}`,
])}
GROUP BY t, key
ORDER BY t
LIMIT 20000`
}

/** The names of the properties that a metric has, of its latest values. */
export function propertiesSql(
  processId: string | undefined,
  metric: Pick<MetricRow, 'target' | 'name'>,
): string {
  return `SELECT properties
FROM measures
${all([...mine(processId), `target = ${literal(metric.target)}`, `name = ${literal(metric.name)}`])}
ORDER BY time DESC
LIMIT 200`
}

export interface Series {
  readonly label: string
  readonly values: readonly (number | null)[]
}

const MOST_SERIES = 8

/** Rows as columns: the times of all, and for each line its value at each, or none. */
export function seriesOf(
  rows: readonly PointRow[],
  by: string | undefined,
): { readonly times: readonly number[]; readonly series: readonly Series[] } {
  const times = [...new Set(rows.map(({ t }) => Date.parse(t) / 1000))].sort((a, b) => a - b)
  const position = new Map(times.map((time, i) => [time, i]))
  const column = (of: readonly PointRow[], pick: (row: PointRow) => number): (number | null)[] => {
    const values: (number | null)[] = new Array(times.length).fill(null)
    for (const row of of) values[position.get(Date.parse(row.t) / 1000)!] = pick(row)
    return values
  }
  if (by === undefined)
    return {
      times,
      series: [
        { label: 'p50', values: column(rows, ({ p50 }) => p50) },
        { label: 'p99', values: column(rows, ({ p99 }) => p99) },
        { label: 'max', values: column(rows, ({ max }) => max) },
      ],
    }
  const keys = new Map<string, PointRow[]>()
  for (const row of rows) {
    const of = keys.get(row.key ?? '')
    if (of === undefined) keys.set(row.key ?? '', [row])
    else of.push(row)
  }
  const total = (of: readonly PointRow[]): number => of.reduce((sum, { n }) => sum + n, 0)
  return {
    times,
    series: [...keys]
      .sort(([, a], [, b]) => total(b) - total(a))
      .slice(0, MOST_SERIES)
      .map(([key, of]) => ({ label: key === '' ? `no ${by}` : key, values: column(of, ({ p50 }) => p50) })),
  }
}
