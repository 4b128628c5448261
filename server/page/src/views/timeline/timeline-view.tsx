import { batch, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { processLabel } from '../../data/process.ts'
import { processById, processes } from '../../data/processes.ts'
import type { TimeRange } from '../../data/query.ts'
import { durationText } from '../../data/time.ts'
import { Failure } from '../../parts/failure.tsx'
import { SearchBox } from '../../parts/search-box.tsx'
import { address, asked, linkTo, processId, set } from '../../state/address.ts'
import { poll } from '../../state/polling.ts'
import { currentRange, isLive } from '../../state/range.ts'
import { useViewKeys } from '../../state/view-keys.ts'
import { ImagesStrip } from './images-strip.tsx'
import { Perfetto } from './perfetto.tsx'
import { SpanDetails } from './span-details.tsx'
import { SpansTable } from './spans-table.tsx'
import { TimelineCanvas } from './timeline-canvas.tsx'
import { readTimeline, type TimelineData } from './timeline-data.ts'
import { panned, type Stretch, zoomed } from './viewport.ts'

const LIVE_EVERY_MS = 3000
const SETTLED_MS = 400
const NEAR = 0.5

/** Where the time of one process goes. */
export function TimelineView() {
  const id = processId.value
  if (id === undefined) return <ChooseProcess />
  return <Timeline key={id} id={id} />
}

function ChooseProcess() {
  return (
    <section>
      <h1>Timeline</h1>
      <p>Of which process?</p>
      <ul>
        {processes.value?.slice(0, 50).map((process) => (
          <li key={process.id}>
            <a href={linkTo('timeline', { p: process.id })}>{processLabel(process)}</a>{' '}
            <span class="hint">{process.computer}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** The part of the range in which the process lived: an hour around a second shows nothing. */
function lifetime(id: string, range: TimeRange): TimeRange {
  const process = processById.value.get(id)
  if (process === undefined || !isLive.value) return range
  const beginNs = process.startNs > range.beginNs ? process.startNs : range.beginNs
  const last = process.lastNs + 1_000_000_000n
  const endNs = last < range.endNs ? last : range.endNs
  return endNs > beginNs ? { beginNs, endNs } : range
}

function Timeline({ id }: { readonly id: string }) {
  const data = useSignal<TimelineData | undefined>(undefined)
  const view = useSignal<Stretch>({ from: 0, to: 1 })
  const error = useSignal<unknown>(undefined)
  const search = useSignal('')
  const selected = useSignal<number | undefined>(undefined)
  /** Whether the user has moved the view; until then it follows what comes. */
  const moved = useRef(false)
  const settling = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)

  const choice = asked('from', 'to', 'last')
  const wanted = address.value.params.get('span') ?? undefined

  useEffect(() => {
    // The range was chosen: where the view was about to rest no longer counts.
    clearTimeout(settling.current)
    const range = currentRange()
    const held = data.peek()
    const inside =
      held !== undefined &&
      !isLive.peek() &&
      !held.shortened &&
      range.beginNs >= held.range.beginNs &&
      range.endNs <= held.range.endNs
    if (inside) {
      view.value = stretchOf(held, range)
      return
    }
    moved.current = false
    let first = true
    let seen: bigint | undefined
    const ask = async (signal: AbortSignal): Promise<void> => {
      const last = processById.peek().get(id)?.lastNs
      // Nothing has come since.
      if (!first && (!isLive.peek() || moved.current || last === seen)) return
      const next = await readTimeline(id, lifetime(id, currentRange()), signal)
      first = false
      seen = last
      const before = selected.peek()
      const row = before === undefined ? undefined : data.peek()?.spans.rows[before]
      batch(() => {
        error.value = undefined
        data.value = next
        view.value = wholeOf(next)
        selected.value =
          row === undefined ? undefined : next.spans.find(row.id, row.stream_id === '' ? 'async' : 'thread')
      })
    }
    return poll(
      ask,
      (reason) => {
        error.value = reason
      },
      { everyMs: LIVE_EVERY_MS },
    )
  }, [choice])
  // A span that the address names is selected once it is there.
  useEffect(() => {
    const table = data.value?.spans
    if (wanted === undefined || table === undefined) return
    const found = table.find(wanted, 'async') ?? table.find(wanted, 'thread')
    if (found !== undefined) selected.value = found
  }, [wanted, data.value])
  useEffect(() => () => clearTimeout(settling.current), [])

  const look = (next: Stretch): void => {
    const held = data.value
    if (held === undefined) return
    moved.current = true
    view.value = next
    // The page's range follows once the view has come to rest.
    clearTimeout(settling.current)
    settling.current = setTimeout(() => {
      const beginNs = held.range.beginNs
      set(
        {
          from: String(beginNs + BigInt(Math.round(next.from))),
          to: String(beginNs + BigInt(Math.round(next.to))),
          last: undefined,
        },
        { replace: true },
      )
    }, SETTLED_MS)
  }
  const lookAtAll = (): void => {
    clearTimeout(settling.current)
    moved.current = false
    if (data.value !== undefined) view.value = wholeOf(data.value)
    set({ from: undefined, to: undefined, span: undefined })
  }
  const select = (i: number | undefined): void => {
    selected.value = i
    const row = i === undefined ? undefined : data.value?.spans.rows[i]
    set({ span: row?.id }, { replace: true })
  }
  const walk = (step: number): void => {
    const table = data.value?.spans
    if (table === undefined || table.length === 0) return
    const next = (selected.value ?? -1) + step
    select(Math.min(Math.max(next, 0), table.length - 1))
  }
  useViewKeys({
    w: () => look(zoomed(view.value, 0.7, NEAR)),
    s: () => look(zoomed(view.value, 1 / 0.7, NEAR)),
    a: () => look(panned(view.value, -0.2)),
    d: () => look(panned(view.value, 0.2)),
    j: () => walk(1),
    k: () => walk(-1),
  })
  const held = data.value
  return (
    <section class="view-full">
      <h1 class="unseen">Timeline</h1>
      <div class="bar" role="search">
        <SearchBox
          label="Names of spans"
          value={search.value}
          onInput={(text) => {
            search.value = text
          }}
        />
        <button type="button" onClick={() => look(zoomed(view.value, 0.5, NEAR))} aria-label="Zoom in">
          +
        </button>
        <button type="button" onClick={() => look(zoomed(view.value, 2, NEAR))} aria-label="Zoom out">
          −
        </button>
        <button type="button" onClick={lookAtAll} title="The whole range again, live">
          All
        </button>
        <span class="hint" role="status">
          {held !== undefined &&
            `${durationText(view.value.to - view.value.from)} in view, ${held.spans.length.toLocaleString('en')} spans`}
          {held?.shortened && '; short ones are left out: zoom in'}
        </span>
        <span class="grow" />
        {held !== undefined && <Perfetto id={id} range={held.range} />}
      </div>
      <Failure error={error.value} />
      {held === undefined ? (
        error.value === undefined && <p class="empty">Asking the server …</p>
      ) : held.spans.length + held.lines.length + held.ticks.length === 0 ? (
        <p class="empty">
          Nothing of this process in this range. Spans are recorded under <code>micromegas/register</code>, or
          with <code>MICROMEGAS_ENABLE_CPU_TRACING=true</code>.
        </p>
      ) : (
        <div class="columns">
          <div class="rows">
            <TimelineCanvas
              data={held}
              view={view.value}
              search={search.value}
              selected={selected.value}
              onView={look}
              onSelect={select}
            />
            <ImagesStrip data={held} view={view.value} />
            <SpansTable data={held} view={view.value} onSelect={select} />
          </div>
          {selected.value !== undefined && (
            <SpanDetails data={held} index={selected.value} onSelect={select} onView={look} />
          )}
        </div>
      )}
    </section>
  )
}

function wholeOf({ range }: TimelineData): Stretch {
  return { from: 0, to: Number(range.endNs - range.beginNs) }
}

function stretchOf(data: TimelineData, range: TimeRange): Stretch {
  return {
    from: Number(range.beginNs - data.range.beginNs),
    to: Number(range.endNs - data.range.beginNs),
  }
}
