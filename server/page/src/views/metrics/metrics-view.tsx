import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type QueryOptions, query } from '../../data/query.ts'
import { durationText } from '../../data/time.ts'
import { Chart } from '../../parts/chart.tsx'
import { Failure } from '../../parts/failure.tsx'
import { SearchBox } from '../../parts/search-box.tsx'
import { asked, linkTo, processId, set } from '../../state/address.ts'
import { useAnswer } from '../../state/answer.ts'
import { currentRange } from '../../state/range.ts'
import {
  type MetricRow,
  metricsSql,
  type PointRow,
  propertiesSql,
  seriesOf,
  seriesSql,
} from './metric-queries.ts'

const BINS = 120

/** All metrics of the range as small charts; a drag over one sets the range of the page. */
export function MetricsView() {
  const [search, setSearch] = useState('')
  const id = processId.value
  const choice = asked('p', 'from', 'to', 'last')
  const { value: metrics, error } = useAnswer(
    (signal) => query<MetricRow>(metricsSql(id), { range: currentRange(), signal }),
    [choice],
  )
  const wanted = search.toLowerCase()
  const shown = metrics?.filter(({ target, name }) => `${target} ${name}`.toLowerCase().includes(wanted))
  return (
    <section>
      <h1 class="unseen">Metrics</h1>
      <div class="bar" role="search">
        <SearchBox label="Names of metrics" value={search} onInput={setSearch} />
      </div>
      <Failure error={error} />
      {shown?.length === 0 && <p class="empty">No metric in this range.</p>}
      <div class="charts">
        {shown?.map((metric) => (
          <Metric key={`${metric.target} ${metric.name} ${metric.unit}`} metric={metric} choice={choice} />
        ))}
      </div>
    </section>
  )
}

function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  for (; Math.abs(value) >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${Number(value.toPrecision(3))} ${units[unit]}`
}

function formatter(unit: string): (value: number) => string {
  if (unit === 's') return (value) => durationText(value * 1e9)
  if (unit === 'ms') return (value) => durationText(value * 1e6)
  if (unit === 'ns') return durationText
  if (unit === 'By' || unit === 'bytes') return bytesText
  return (value) => Number(value.toPrecision(4)).toLocaleString('en')
}

interface MetricAnswer {
  readonly rows: readonly PointRow[]
  readonly properties: readonly string[]
}

/** One chart, asked for once it is near to being seen. */
function Metric({ metric, choice }: { readonly metric: MetricRow; readonly choice: string }) {
  const box = useRef<HTMLElement>(null)
  const [near, setNear] = useState(false)
  const [by, setBy] = useState<string>()
  const id = processId.value
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => setNear(entry!.isIntersecting), {
      rootMargin: '200px',
    })
    observer.observe(box.current!)
    return () => observer.disconnect()
  }, [])
  const { value: answer, error } = useAnswer<MetricAnswer>(
    async (signal, before) => {
      const range = currentRange()
      const binSeconds = Math.max(1, Math.ceil(Number(range.endNs - range.beginNs) / 1e9 / BINS))
      const options = { range, signal }
      const [rows, properties] = await Promise.all([
        query<PointRow>(seriesSql(id, metric, binSeconds, by), options),
        before?.properties ?? propertiesOf(id, metric, options),
      ])
      return { rows, properties }
    },
    [choice, by],
    { when: near },
  )
  const { times, series } = useMemo(() => seriesOf(answer?.rows ?? [], by), [answer, by])
  const properties = answer?.properties ?? []
  return (
    <article ref={box} class="metric">
      <div class="bar">
        <h2>
          {metric.name}{' '}
          <span class="hint">
            {metric.unit !== '' && `in ${metric.unit}`} · {metric.target}
          </span>
        </h2>
        <span class="grow" />
        {properties.length > 0 && (
          <select
            aria-label={`Lines of ${metric.name} by property`}
            value={by ?? ''}
            onChange={(event) => setBy(event.currentTarget.value || undefined)}
          >
            <option value="">percentiles</option>
            {properties.map((name) => (
              <option key={name} value={name}>
                by {name}
              </option>
            ))}
          </select>
        )}
        <a href={linkTo('sql', { q: seriesSql(id, metric, 60, by) })} aria-label={`${metric.name} as SQL`}>
          SQL
        </a>
      </div>
      <Failure error={error} />
      {answer !== undefined && (
        <Chart
          label={`${metric.name} over time, ${series.map(({ label }) => label).join(', ')}`}
          times={times}
          series={series}
          format={formatter(metric.unit)}
          onRange={(from, to) =>
            set({
              from: String(Math.floor(from * 1e6) * 1000),
              to: String(Math.ceil(to * 1e6) * 1000),
              last: undefined,
            })
          }
        />
      )}
    </article>
  )
}

/** Names of the properties that the values carry. */
async function propertiesOf(
  id: string | undefined,
  metric: MetricRow,
  options: QueryOptions,
): Promise<string[]> {
  const sets = await query<{ readonly properties: Readonly<Record<string, string>> | null }>(
    propertiesSql(id, metric),
    options,
  )
  return [...new Set(sets.flatMap(({ properties }) => Object.keys(properties ?? {})))].sort()
}
