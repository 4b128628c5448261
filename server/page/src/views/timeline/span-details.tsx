import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { levelName } from '../../data/levels.ts'
import { query } from '../../data/query.ts'
import { all, literal } from '../../data/sql.ts'
import { clockText, durationText, msOfNs, parseTime } from '../../data/time.ts'
import { Failure } from '../../parts/failure.tsx'
import { linkTo } from '../../state/address.ts'
import { zone } from '../../state/settings.ts'
import type { TimelineData } from './timeline-data.ts'
import type { Stretch } from './viewport.ts'

interface Place {
  readonly filename: string
  readonly line: number
  readonly properties: Readonly<Record<string, string>> | null
}

interface LogLine {
  readonly time: string
  readonly level: number
  readonly target: string
  readonly msg: string
}

const MAX_LOGS = 200
const MAX_FAMILY = 500
const MAX_CHILDREN = 100
const NS_AROUND = 1000n

interface Props {
  readonly data: TimelineData
  readonly index: number
  readonly onSelect: (index: number | undefined) => void
  readonly onView: (view: Stretch) => void
}

export function SpanDetails({ data, index, onSelect, onView }: Props) {
  const { spans, processId, range } = data
  const row = spans.rows[index]!
  const place = useSignal<Place | undefined>(undefined)
  const logs = useSignal<readonly LogLine[] | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  const isAsync = row.stream_id === ''
  const begin = range.beginNs + BigInt(Math.round(row.b))
  const end = begin + BigInt(Math.round(row.d))
  const during = { beginNs: begin - NS_AROUND, endNs: end + NS_AROUND }
  const family = spans.family(index, MAX_FAMILY).map((i) => spans.rows[i]!.id)
  const logsSql = `SELECT time, level, target, msg
FROM log_entries
${all([
  `process_id = ${literal(processId)}`,
  ...(isAsync
    ? [
        `coalesce(property_get(properties, 'async_span_id'), property_get(properties, 'span_id')) IN (${family.map(literal).join(', ')})`,
      ]
    : []),
])}
ORDER BY time
LIMIT ${MAX_LOGS}`

  useEffect(() => {
    const stop = new AbortController()
    place.value = undefined
    logs.value = undefined
    error.value = undefined
    const placeSql = `SELECT filename, line, properties
FROM process_spans(${literal(processId)}, ${isAsync ? "'async'" : "'thread'"})
WHERE id = ${row.id} AND stream_id = ${literal(row.stream_id)}`
    const options = { signal: stop.signal, range: during }
    Promise.all([query<Place>(placeSql, options), query<LogLine>(logsSql, options)]).then(
      ([[found], lines]) => {
        place.value = found
        logs.value = lines
      },
      (reason: unknown) => {
        if (!stop.signal.aborted) error.value = reason
      },
    )
    return () => stop.abort()
  }, [row.id, row.stream_id])

  const parent = spans.parent[index]!
  const children = spans.children(index)
  const entries = Object.entries(place.value?.properties ?? {})
  return (
    <aside class="details" aria-label="The selected span">
      <div class="bar">
        <strong class="grow">{row.name}</strong>
        <button type="button" class="small" onClick={() => onSelect(undefined)} aria-label="Close">
          ×
        </button>
      </div>
      <dl class="facts">
        <dt>duration</dt>
        <dd>{durationText(row.d)}</dd>
        <dt>self</dt>
        <dd>{durationText(spans.selfTime(index))}</dd>
        <dt>begin</dt>
        <dd>{clockText(msOfNs(begin), zone.value, 6)}</dd>
        <dt>target</dt>
        <dd>{row.target}</dd>
        {place.value?.filename && (
          <>
            <dt>source</dt>
            <dd>
              {place.value.filename}:{place.value.line}
            </dd>
          </>
        )}
        {parent >= 0 && (
          <>
            <dt>parent</dt>
            <dd>
              <button type="button" class="small" onClick={() => onSelect(parent)}>
                {spans.rows[parent]!.name}
              </button>
            </dd>
          </>
        )}
      </dl>
      <button
        type="button"
        onClick={() => onView({ from: row.b - row.d * 0.1 - 1000, to: row.b + row.d * 1.1 + 1000 })}
      >
        Zoom to it
      </button>
      <Failure error={error.value} />
      {entries.length > 0 && (
        <>
          <h2>Properties</h2>
          <dl class="properties">
            {entries.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      <h2>{children.length} children</h2>
      <ul class="children">
        {children.slice(0, MAX_CHILDREN).map((child) => (
          <li key={spans.rows[child]!.id}>
            <button type="button" class="small" onClick={() => onSelect(child)}>
              {spans.rows[child]!.name}
            </button>{' '}
            <span class="hint">{durationText(spans.rows[child]!.d)}</span>
          </li>
        ))}
      </ul>
      <h2>{isAsync ? 'Its logs' : 'Logs of the process meanwhile'}</h2>
      {logs.value?.length === 0 && <p class="hint">none</p>}
      <ul class="children">
        {logs.value?.map((log, i) => (
          <li key={`${log.time} ${i}`}>
            <span class="hint">{clockText(msOfNs(parseTime(log.time)), zone.value)}</span>{' '}
            <span class={`level ${levelName(log.level)}`}>{levelName(log.level)}</span> {log.msg}
          </li>
        ))}
      </ul>
      <a
        href={linkTo('sql', {
          q: logsSql,
          from: String(during.beginNs),
          to: String(during.endNs),
          last: undefined,
        })}
      >
        open as SQL
      </a>
    </aside>
  )
}
