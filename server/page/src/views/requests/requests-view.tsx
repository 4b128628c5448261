import { processLabel } from '../../data/process.ts'
import { processById } from '../../data/processes.ts'
import { type QueryOptions, query, type TimeRange } from '../../data/query.ts'
import { clockText, durationText, msOfNs, nsOfMs, parseTime } from '../../data/time.ts'
import { Failure } from '../../parts/failure.tsx'
import { address, asked, linkTo, processId, set } from '../../state/address.ts'
import { useAnswer } from '../../state/answer.ts'
import { currentRange } from '../../state/range.ts'
import { zone } from '../../state/settings.ts'
import { Heatmap } from './heatmap.tsx'
import {
  type CellRow,
  durationsOf,
  heatSql,
  type RequestRow,
  type RouteRow,
  requestsSql,
  routesSql,
  serversSql,
} from './request-queries.ts'

const COLUMNS = 120

interface Answer {
  readonly range: TimeRange
  readonly binSeconds: number
  readonly routes: readonly RouteRow[]
  readonly cells: readonly CellRow[]
  readonly requests: readonly RequestRow[]
}

/** A cell of the heatmap in the address: the begin of its time in seconds, its step. */
function readCell(text: string | null): { readonly second: number; readonly step: number } | undefined {
  const [, second, step] = /^(\d{1,12})_(\d{1,3})$/.exec(text ?? '') ?? []
  return second === undefined ? undefined : { second: Number(second), step: Number(step) }
}

/** What HTTP servers answered: by route, over time, one by one. */
export function RequestsView() {
  const { params } = address.value
  const id = processId.value
  const failed = params.get('failed') === '1'
  const route = params.get('route') ?? undefined
  const cell = readCell(params.get('cell'))
  const { value: held, error } = useAnswer<Answer>(
    async (signal) => {
      const range = untilNow(currentRange())
      const binSeconds = Math.max(1, Math.ceil(Number(range.endNs - range.beginNs) / 1e9 / COLUMNS))
      const options = { range, signal }
      const [routes, cells, ids] = await Promise.all([
        query<RouteRow>(routesSql(id), options),
        query<CellRow>(heatSql(id, binSeconds), options),
        id === undefined ? serversOf(options) : [id],
      ])
      const within = cell === undefined ? range : stretchOf(cell.second, binSeconds)
      const durations = cell === undefined ? undefined : durationsOf(cell.step)
      const requests =
        ids.length === 0
          ? []
          : await query<RequestRow>(requestsSql(ids, { failed, name: route, durations }), {
              range: within,
              signal,
            })
      return { range, binSeconds, routes, cells, requests }
    },
    [asked('p', 'from', 'to', 'last', 'failed', 'route', 'cell')],
  )

  return (
    <section>
      <h1>Requests</h1>
      <Failure error={error} />
      {held === undefined ? (
        error === undefined && <p class="empty">Asking the server …</p>
      ) : held.routes.length === 0 ? (
        <p class="empty">
          No server of this range recorded requests. Start it by{' '}
          <code>node --import micromegas/register app.js</code>: then they are here by route, without a change
          to its code.
        </p>
      ) : (
        <>
          <Routes routes={held.routes} chosen={route} />
          <h2>Durations</h2>
          <Heatmap
            range={held.range}
            binSeconds={held.binSeconds}
            cells={held.cells}
            chosen={cell}
            onCell={(chosen) =>
              set({ cell: chosen === undefined ? undefined : `${chosen.second}_${chosen.step}` })
            }
          />
          <div class="bar">
            <h2>{failed ? 'Failed requests' : 'Slowest requests'}</h2>
            <button
              type="button"
              aria-pressed={failed}
              onClick={() => set({ failed: failed ? undefined : '1' })}
            >
              failed only
            </button>
            {route !== undefined && (
              <button type="button" class="chip" onClick={() => set({ route: undefined })}>
                {route} ×
              </button>
            )}
            {cell !== undefined && (
              <button type="button" class="chip" onClick={() => set({ cell: undefined })}>
                {durationText(durationsOf(cell.step).from)} to {durationText(durationsOf(cell.step).to)} at{' '}
                {clockText(cell.second * 1000, zone.value, 0)} ×
              </button>
            )}
            <a href={linkTo('sql', { q: routesSql(id) })}>routes as SQL</a>
          </div>
          <Requests requests={held.requests} />
        </>
      )}
    </section>
  )
}

/** The processes that answered requests. */
async function serversOf(options: QueryOptions): Promise<string[]> {
  const servers = await query<{ readonly process_id: string }>(serversSql(), options)
  return servers.map(({ process_id }) => process_id)
}

function untilNow({ beginNs, endNs }: TimeRange): TimeRange {
  const nowNs = nsOfMs(Date.now() + 1000)
  return { beginNs, endNs: endNs < nowNs || nowNs < beginNs ? endNs : nowNs }
}

function stretchOf(second: number, seconds: number): TimeRange {
  const beginNs = BigInt(second) * 1_000_000_000n
  // A request is measured when it is over, and its span is found by when it was under way.
  return { beginNs, endNs: beginNs + BigInt(seconds) * 1_000_000_000n }
}

function nameOf({ method, route }: RouteRow): string {
  return route === null ? (method ?? '') : `${method} ${route}`
}

function Routes({
  routes,
  chosen,
}: {
  readonly routes: readonly RouteRow[]
  readonly chosen: string | undefined
}) {
  const time = (seconds: number): string => durationText(seconds * 1e9)
  return (
    <div class="scroll">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">route</th>
            {['requests', 'failed', 'p50', 'p90', 'p99', 'slowest'].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {routes.map((row) => {
            const name = nameOf(row)
            return (
              <tr key={name} class={name === chosen ? 'chosen' : undefined}>
                <th scope="row">
                  <button
                    type="button"
                    class="small"
                    aria-pressed={name === chosen}
                    onClick={() => set({ route: name === chosen ? undefined : name })}
                  >
                    {name}
                  </button>
                  {row.route === null && <span class="hint"> no route found</span>}
                </th>
                <td class="number">{row.n.toLocaleString('en')}</td>
                <td class={row.errors > 0 ? 'number error' : 'number'}>
                  {row.errors.toLocaleString('en')} ({((100 * row.errors) / row.n).toFixed(1)} %)
                </td>
                <td class="number">{time(row.p50)}</td>
                <td class="number">{time(row.p90)}</td>
                <td class="number">{time(row.p99)}</td>
                <td class="number">{time(row.slowest)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

function Requests({ requests }: { readonly requests: readonly RequestRow[] }) {
  if (requests.length === 0)
    return <p class="hint">None. Requests are listed one by one where spans are recorded.</p>
  return (
    <div class="scroll">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">request</th>
            <th scope="col" class="number">
              took
            </th>
            <th scope="col">status</th>
            <th scope="col">path</th>
            <th scope="col">begin</th>
            <th scope="col">process</th>
          </tr>
        </thead>
        <tbody>
          {requests.map((request) => (
            <Request key={`${request.process_id} ${request.id}`} request={request} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Request({ request }: { readonly request: RequestRow }) {
  const { process_id: id, name, duration, properties } = request
  const beginNs = parseTime(request.begin)
  const room = BigInt(Math.ceil(duration / 5)) + 1_000_000n
  const trace = linkTo('timeline', {
    p: id,
    span: request.id,
    from: String(beginNs - room),
    to: String(beginNs + BigInt(duration) + room),
    last: undefined,
  })
  const process = processById.value.get(id)
  const status = properties?.['http.response.status_code']
  const failure = properties?.['error.type']
  return (
    <tr>
      <td>
        <a href={trace}>{name}</a>
      </td>
      <td class="number">{durationText(duration)}</td>
      <td class={failure === undefined ? undefined : 'error'}>
        {status} {failure !== undefined && failure !== status && failure}
      </td>
      <td>{properties?.['url.path']}</td>
      <td>{clockText(msOfNs(beginNs), zone.value)}</td>
      <td>{process === undefined ? id.slice(0, 8) : processLabel(process)}</td>
    </tr>
  )
}
