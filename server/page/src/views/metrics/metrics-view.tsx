import { useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { query } from '../../data/query.ts'
import { durationText } from '../../data/time.ts'
import { Chart } from '../../parts/chart.tsx'
import { Failure } from '../../parts/failure.tsx'
import { address, linkTo, processId, set } from '../../state/address.ts'
import { poll } from '../../state/polling.ts'
import { currentRange, isLive } from '../../state/range.ts'
import { useViewKeys } from '../../state/view-keys.ts'
import {
  type MetricRow,
  metricsSql,
  type PointRow,
  propertiesSql,
  seriesOf,
  seriesSql,
} from './metric-queries.ts'

const LIVE_EVERY_MS = 5000
const BINS = 120

/** All metrics of the range as small charts; a drag over one sets the range of the page. */
export function MetricsView() {
  const metrics = useSignal<readonly MetricRow[] | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  const [search, setSearch] = useState('')
  const input = useRef<HTMLInputElement>(null)
  useViewKeys({ '/': () => input.current?.focus() })
  const id = processId.value
  const asked = ['p', 'from', 'to', 'last'].map((name) => address.value.params.get(name)).join('\0')
  useEffect(() => {
    let first = true
    return poll(
      async (signal) => {
        if (!first && !isLive.peek()) return
        metrics.value = await query<MetricRow>(metricsSql(id), { range: currentRange(), signal })
        error.value = undefined
        first = false
      },
      (reason) => {
        error.value = reason
      },
      LIVE_EVERY_MS,
    )
  }, [asked])
  const wanted = search.toLowerCase()
  const shown = metrics.value?.filter(({ target, name }) =>
    `${target} ${name}`.toLowerCase().includes(wanted),
  )
  return (
    <section>
      <h1 class="unseen">Metrics</h1>
      <div class="bar" role="search">
        <input
          ref={input}
          type="search"
          aria-label="Names of metrics"
          placeholder="names of metrics  ( / )"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      </div>
      <Failure error={error.value} />
      {shown?.length === 0 && <p class="empty">No metric in this range.</p>}
      <div class="charts">
        {shown?.map((metric) => (
          <Metric key={`${metric.target} ${metric.name} ${metric.unit}`} metric={metric} asked={asked} />
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

/** One chart, asked for once it is near to being seen. */
function Metric({ metric, asked }: { readonly metric: MetricRow; readonly asked: string }) {
  const box = useRef<HTMLElement>(null)
  const [near, setNear] = useState(false)
  const [by, setBy] = useState<string>()
  const rows = useSignal<readonly PointRow[] | undefined>(undefined)
  const properties = useSignal<readonly string[]>([])
  const error = useSignal<unknown>(undefined)
  const id = processId.value
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => setNear(entry!.isIntersecting), {
      rootMargin: '200px',
    })
    observer.observe(box.current!)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    if (!near) return
    let first = true
    return poll(
      async (signal) => {
        if (!first && !isLive.peek()) return
        const range = currentRange()
        const binSeconds = Math.max(1, Math.ceil(Number(range.endNs - range.beginNs) / 1e9 / BINS))
        rows.value = await query<PointRow>(seriesSql(id, metric, binSeconds, by), { range, signal })
        if (first) {
          const sets = await query<{ properties: Readonly<Record<string, string>> | null }>(
            propertiesSql(id, metric),
            {
              range,
              signal,
            },
          )
          properties.value = namesIn(sets.map((row) => row.properties ?? {}))
        }
        error.value = undefined
        first = false
      },
      (reason) => {
        error.value = reason
      },
      LIVE_EVERY_MS,
    )
  }, [near, asked, by])
  const { times, series } = useMemo(() => seriesOf(rows.value ?? [], by), [rows.value, by])
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
        {properties.value.length > 0 && (
          <select
            aria-label={`Lines of ${metric.name} by property`}
            value={by ?? ''}
            onChange={(event) => setBy(event.currentTarget.value || undefined)}
          >
            <option value="">percentiles</option>
            {properties.value.map((name) => (
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
      <Failure error={error.value} />
      {rows.value !== undefined && (
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

function namesIn(sets: readonly object[]): string[] {
  const names = new Set<string>()
  for (const set of sets) for (const name of Object.keys(set)) names.add(name)
  return [...names].sort()
}
