import { all, literal, propertyIs } from '../../data/sql.ts'

const DURATION = 'http.server.request.duration'
const property = (name: string): string => `property_get(properties, ${literal(name)})`

function where(processId: string | undefined, more: readonly string[] = []): string {
  return all([
    `name = ${literal(DURATION)}`,
    ...(processId === undefined ? [] : [`process_id = ${literal(processId)}`]),
    ...more,
  ])
}

export interface RouteRow {
  readonly method: string | null
  readonly route: string | null
  readonly n: number
  readonly errors: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly slowest: number
}

/** What each route took, in seconds. */
export function routesSql(processId: string | undefined): string {
  return `SELECT ${property('http.request.method')} AS method, ${property('http.route')} AS route, count(*) AS n,
  sum(CASE WHEN ${property('error.type')} IS NOT NULL THEN 1 ELSE 0 END) AS errors,
  approx_percentile_cont(value, 0.5) AS p50, approx_percentile_cont(value, 0.9) AS p90,
  approx_percentile_cont(value, 0.99) AS p99, max(value) AS slowest
FROM measures
${where(processId)}
GROUP BY method, route
ORDER BY n DESC
LIMIT 200`
}

/** Two steps for each doubling of the duration, from a microsecond. */
const STEPS_PER_DOUBLING = 2

export interface CellRow {
  readonly t: string
  readonly step: number
  readonly n: number
}

export function heatSql(processId: string | undefined, binSeconds: number): string {
  return `SELECT date_bin(interval '${binSeconds} seconds', time) AS t,
  floor(log2(greatest(value * 1000000, 1)) * ${STEPS_PER_DOUBLING}) AS step, count(*) AS n
FROM measures
${where(processId)}
GROUP BY t, step
ORDER BY t, step
LIMIT 20000`
}

/** The durations of a step, in nanoseconds. */
export function durationsOf(step: number): { readonly from: number; readonly to: number } {
  return { from: 1000 * 2 ** (step / STEPS_PER_DOUBLING), to: 1000 * 2 ** ((step + 1) / STEPS_PER_DOUBLING) }
}

/** Processes that answered requests, the busiest first. */
export function serversSql(): string {
  return `SELECT process_id, count(*) AS n
FROM measures
${where(undefined)}
GROUP BY process_id
ORDER BY n DESC
LIMIT 5`
}

export interface RequestRow {
  readonly process_id: string
  readonly id: string
  readonly begin: string
  readonly duration: number
  readonly name: string
  readonly properties: Readonly<Record<string, string>> | null
}

export interface RequestFilter {
  readonly failed: boolean
  /** `GET /users/:id`. */
  readonly name: string | undefined
  /** Nanoseconds. */
  readonly durations: { readonly from: number; readonly to: number } | undefined
}

/** Requests as spans, the slowest first. */
export function requestsSql(
  processIds: readonly string[],
  { failed, name, durations }: RequestFilter,
): string {
  const conditions = all([
    propertyIs('span.kind', 'SERVER'),
    ...(failed ? [`${property('error.type')} IS NOT NULL`] : []),
    ...(name === undefined ? [] : [`name = ${literal(name)}`]),
    ...(durations === undefined
      ? []
      : [`duration >= ${Math.floor(durations.from)} AND duration < ${Math.ceil(durations.to)}`]),
  ])
  const parts = processIds.map(
    (id) => `SELECT ${literal(id)} AS process_id, cast(id AS varchar) AS id, begin, duration, name, properties
FROM process_spans(${literal(id)}, 'async')
${conditions}`,
  )
  return `SELECT * FROM (
${parts.join('\nUNION ALL\n')}
)
ORDER BY duration DESC
LIMIT 100`
}
