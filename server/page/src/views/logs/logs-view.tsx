import { batch, useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { levelName } from '../../data/levels.ts'
import { processLabel } from '../../data/process.ts'
import { processById } from '../../data/processes.ts'
import { query, type TimeRange } from '../../data/query.ts'
import { clockText, msOfNs, parseTime, timeText } from '../../data/time.ts'
import { visible } from '../../data/visible.ts'
import { Copy, curlText } from '../../parts/copy.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Menu } from '../../parts/menu.tsx'
import { VirtualList } from '../../parts/virtual-list.tsx'
import { address, asked, linkTo, set } from '../../state/address.ts'
import { poll } from '../../state/polling.ts'
import { currentRange, isLive } from '../../state/range.ts'
import { zone } from '../../state/settings.ts'
import { useViewKeys } from '../../state/view-keys.ts'
import { Facets } from './facets.tsx'
import { FilterBar } from './filter-bar.tsx'
import { LogDetails } from './log-details.tsx'
import { logsSql, readFilters } from './log-filters.ts'
import { type LogRow, LogWindow } from './log-window.ts'

const PAGE = 1000
/** Most rows that one second may bring. */
const MOST_AT_ONCE = 10_000

/** Logs as they come. */
export function LogsView() {
  const { params } = address.value
  // What is asked for: another row that is selected does not ask again.
  const choice = asked('p', 'level', 'search', 'f', 'from', 'to', 'last')
  const filters = useMemo(() => readFilters(params), [choice])
  const sql = logsSql(filters, PAGE)

  const window = useRef(new LogWindow())
  const rows = useSignal<readonly LogRow[] | undefined>(undefined)
  const waiting = useSignal<LogRow[]>([])
  const following = useSignal(true)
  const selected = useSignal<LogRow | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  const olderEnd = useRef(false)
  const range = useRef<TimeRange>(currentRange())

  useEffect(() => {
    const own = new LogWindow()
    window.current = own
    olderEnd.current = false
    batch(() => {
      rows.value = undefined
      waiting.value = []
      error.value = undefined
      following.value = true
    })
    let first = true
    const ask = async (signal: AbortSignal): Promise<void> => {
      if (!first && !isLive.value) return
      range.current = currentRange()
      const limit = first ? PAGE : MOST_AT_ONCE
      const fresh = await query<LogRow>(logsSql(filters, limit, own.unseen), { range: range.current, signal })
      const isCut = first && fresh.length === limit
      first = false
      batch(() => {
        error.value = undefined
        if (fresh.length === MOST_AT_ONCE) own.missed += 1
        own.add(fresh, isCut)
        if (following.value || rows.value === undefined) rows.value = own.rows
        else waiting.value = [...waiting.value, ...fresh]
      })
    }
    const failed = (reason: unknown): void => {
      batch(() => {
        error.value = reason
        rows.value ??= []
      })
    }
    return poll(ask, failed, { wokenBy: ({ tags }) => tags?.includes('log') === true })
  }, [choice])

  const follow = (value: boolean): void => {
    batch(() => {
      following.value = value
      if (!value) return
      rows.value = window.current.rows
      waiting.value = []
    })
  }
  const older = async (): Promise<void> => {
    const [oldest] = window.current.rows
    if (oldest === undefined || olderEnd.current) return
    olderEnd.current = true
    const before = { beginNs: range.current.beginNs, endNs: parseTime(oldest.time) }
    try {
      const found = await query<LogRow>(sql, { range: before })
      if (window.current.addOlder(found) > 0) olderEnd.current = false
      rows.value = window.current.rows
    } catch (reason) {
      error.value = reason
    }
  }
  const shown = rows.value ?? []
  const selectedAt = selected.value === undefined ? undefined : shown.indexOf(selected.value)
  const select = (index: number): void => {
    const row = shown[Math.min(Math.max(index, 0), shown.length - 1)]
    if (row === undefined) return
    batch(() => {
      following.value = false
      selected.value = row
    })
  }
  useViewKeys({
    ' ': () => follow(!following.value),
    j: () => select(selectedAt === undefined ? shown.length - 1 : selectedAt + 1),
    k: () => select(selectedAt === undefined ? shown.length - 1 : selectedAt - 1),
  })

  const asText = (): string => shown.map((row) => rowText(row)).join('\n')
  const curlRange = { begin: timeText(range.current.beginNs), end: timeText(range.current.endNs) }
  return (
    <section class="logs">
      <h1 class="unseen">Logs</h1>
      <FilterBar filters={filters}>
        <button type="button" aria-pressed={!following.value} onClick={() => follow(!following.value)}>
          {following.value ? 'Pause' : 'Go on'}
        </button>
        <Menu label="Copy">
          <Copy label="as text" text={asText} />
          <Copy label="as JSON" text={() => JSON.stringify(shown, undefined, 2)} />
          <Copy label="as curl" text={() => curlText(sql, curlRange)} />
          <Copy label="as SQL" text={() => sql} />
        </Menu>
        <a href={linkTo('sql', { q: sql })}>open as SQL</a>
      </FilterBar>
      <Failure error={error.value} />
      <div class="columns">
        <Facets filters={filters} />
        <div class="rows">
          {rows.value === undefined ? (
            <p class="empty">Asking the server …</p>
          ) : shown.length === 0 ? (
            <p class="empty">
              No log of this range passes the filters. A longer range or fewer filters may show some.
            </p>
          ) : (
            <VirtualList
              label="Logs"
              count={shown.length}
              following={following.value && isLive.value}
              onFollow={follow}
              onStart={() => void older()}
              focus={selectedAt}
              row={(index) => (
                <Row
                  key={index}
                  index={index}
                  row={shown[index]!}
                  selected={index === selectedAt}
                  onSelect={() => select(index)}
                />
              )}
            />
          )}
          <p class="status" role="status">
            {shown.length.toLocaleString('en')} rows
            {following.value ? (isLive.value ? ', live' : '') : ', paused'}
            {window.current.missed > 0 && '; more came in a second than the page takes: narrow the filters'}
            {waiting.value.length > 0 && (
              <button type="button" class="small" onClick={() => follow(true)}>
                {waiting.value.length.toLocaleString('en')} new
              </button>
            )}
          </p>
        </div>
        {selected.value !== undefined && (
          <LogDetails
            row={selected.value}
            onClose={() => {
              selected.value = undefined
            }}
            onContext={(row) => {
              const at = parseTime(row.time)
              const around = 5_000_000_000n
              set({
                p: row.process_id,
                level: undefined,
                search: undefined,
                f: undefined,
                from: String(at - around),
                to: String(at + around),
                last: undefined,
              })
            }}
          />
        )}
      </div>
    </section>
  )
}

interface RowProps {
  readonly index: number
  readonly row: LogRow
  readonly selected: boolean
  readonly onSelect: () => void
}

function Row({ index, row, selected, onSelect }: RowProps) {
  const process = processById.value.get(row.process_id)
  return (
    <div
      class={selected ? 'log selected' : 'log'}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={selected}
      onClick={onSelect}
    >
      <span role="cell" class="time">
        {clockText(msOfNs(parseTime(row.time)), zone.value)}
      </span>
      <span role="cell" class={`level ${levelName(row.level)}`}>
        {levelName(row.level)}
      </span>
      <span role="cell" class="process">
        {process === undefined ? row.process_id.slice(0, 8) : processLabel(process)}
      </span>
      <span role="cell" class="target">
        {visible(row.target)}
      </span>
      <span role="cell" class="msg">
        {folded(row.msg)} <PropertiesText properties={row.properties} />
      </span>
    </div>
  )
}

const SHOWN_CHARS = 2000

/** Two lines stand for a stack, which is folded: what was logged, and what the error says. The details have it whole. */
function folded(text: string): string {
  const [first = '', second, third] = text.split('\n', 3)
  const line = second === undefined ? first : `${first} ↵ ${second.trim()}${third === undefined ? '' : ' …'}`
  return visible(line.length > SHOWN_CHARS ? `${line.slice(0, SHOWN_CHARS)} …` : line)
}

function PropertiesText({ properties }: { readonly properties: LogRow['properties'] }) {
  const entries = Object.entries(properties ?? {})
  if (entries.length === 0) return null
  return (
    <span class="hint">{entries.map(([name, value]) => `${visible(name)}=${folded(value)}`).join(' ')}</span>
  )
}

function rowText(row: LogRow): string {
  const properties = Object.entries(row.properties ?? {}).map(([name, value]) => ` ${name}=${value}`)
  return `${row.time} ${levelName(row.level).toUpperCase().padEnd(5)} ${row.target}: ${row.msg}${properties.join('')}`
}
