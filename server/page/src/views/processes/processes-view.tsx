import { useState } from 'preact/hooks'
import type { Process } from '../../data/process.ts'
import { processes } from '../../data/processes.ts'
import { query } from '../../data/query.ts'
import { agoText, clockText, dateText, durationText, msOfNs } from '../../data/time.ts'
import { Failure } from '../../parts/failure.tsx'
import { asked, linkTo } from '../../state/address.ts'
import { useAnswer } from '../../state/answer.ts'
import { currentRange } from '../../state/range.ts'
import { zone } from '../../state/settings.ts'
import { type ProcessLine, processLines } from './process-groups.ts'

/** Services that flush as seldom as by default are heard of once a minute. */
const LIVE_WITHIN_MS = 90_000

interface Counts {
  readonly errors: number
  readonly warnings: number
  readonly others: number
}

/** What processes did in the range. */
interface Activity {
  readonly counts: ReadonlyMap<string, Counts>
  readonly ended: ReadonlySet<string>
}

const NO_ACTIVITY: Activity = { counts: new Map(), ended: new Set() }
const EVERY_MS = 1000

const COUNTS_SQL = `SELECT process_id,
  sum(CASE WHEN level <= 2 THEN count ELSE 0 END) AS errors,
  sum(CASE WHEN level = 3 THEN count ELSE 0 END) AS warnings,
  sum(CASE WHEN level > 3 THEN count ELSE 0 END) AS others
FROM log_stats
GROUP BY process_id`

/** A process that ends counts what it recorded, as its last metrics. */
const ENDED_SQL = `SELECT DISTINCT process_id
FROM measures
WHERE target = 'micromegas' AND name = 'telemetry_recorded_logs'`

/** The processes, live, with what they logged in the range. */
export function ProcessesView() {
  const { value, error } = useAnswer<Activity>(
    async (signal) => {
      const options = { range: currentRange(), signal }
      const counts = await query<Counts & { process_id: string }>(COUNTS_SQL, options)
      const ended = await query<{ process_id: string }>(ENDED_SQL, options)
      return {
        counts: new Map(counts.map((row) => [row.process_id, row])),
        ended: new Set(ended.map(({ process_id }) => process_id)),
      }
    },
    [asked('from', 'to', 'last')],
    { everyMs: EVERY_MS },
  )
  const { counts, ended } = value ?? NO_ACTIVITY
  const lines = processLines(processes.value ?? [])
  return (
    <section>
      <h1>Processes</h1>
      <Failure error={error} />
      <div class="scroll">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">program</th>
              <th scope="col">seen</th>
              <th scope="col">started</th>
              <th scope="col" class="number">
                ran for
              </th>
              <th scope="col">machine</th>
              <th scope="col" class="number">
                errors
              </th>
              <th scope="col" class="number">
                warnings
              </th>
              <th scope="col" class="number">
                other logs
              </th>
              <th scope="col">look at</th>
            </tr>
          </thead>
          {lines.map((line) => (
            <Lines key={line.process.id} line={line} counts={counts} ended={ended} />
          ))}
        </table>
      </div>
      <p class="hint">Counts are of the time range above.</p>
    </section>
  )
}

function Lines({
  line,
  counts,
  ended,
}: {
  readonly line: ProcessLine
  readonly counts: ReadonlyMap<string, Counts>
  readonly ended: ReadonlySet<string>
}) {
  const [opened, setOpened] = useState(false)
  const { process, depth, earlier } = line
  return (
    <tbody>
      <Line process={process} depth={depth} counts={counts.get(process.id)} ended={ended.has(process.id)}>
        {earlier.length > 0 && (
          <button type="button" class="small" aria-expanded={opened} onClick={() => setOpened(!opened)}>
            {earlier.length} earlier
          </button>
        )}
      </Line>
      {opened &&
        earlier.map((run) => (
          <Line
            key={run.id}
            process={run}
            depth={depth + 1}
            counts={counts.get(run.id)}
            ended={ended.has(run.id)}
          />
        ))}
    </tbody>
  )
}

interface LineProps {
  readonly process: Process
  readonly depth: number
  readonly counts: Counts | undefined
  readonly ended: boolean
  readonly children?: preact.ComponentChildren
}

function Line({ process, depth, counts, ended, children }: LineProps) {
  const lastMs = msOfNs(process.lastNs)
  const startMs = msOfNs(process.startNs)
  const quiet = Date.now() - lastMs
  const live = !ended && quiet < LIVE_WITHIN_MS
  const { pid, node_version: node, version } = process.properties
  const about = [pid && `pid ${pid}`, node && `Node ${node}`, version && `version ${version}`]
  return (
    <tr>
      <th scope="row" style={{ paddingLeft: `${depth * 1.5 + 0.5}rem` }}>
        <span class={live ? 'dot live' : 'dot'} aria-hidden="true" />
        <a href={linkTo('logs', { p: process.id })} title={process.exe}>
          {process.name}
        </a>{' '}
        <span class="hint">{about.filter(Boolean).join(' · ')}</span> {children}
        <details>
          <summary>properties</summary>
          <dl class="properties">
            {[['process_id', process.id], ['exe', process.exe], ...Object.entries(process.properties)].map(
              ([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ),
            )}
          </dl>
        </details>
      </th>
      <td>
        {live ? 'live, ' : ended ? 'ended ' : ''}
        {agoText(quiet)}
      </td>
      <td>
        {dateText(startMs, zone.value)} {clockText(startMs, zone.value, 0)}
      </td>
      <td class="number">{durationText((lastMs - startMs) * 1e6)}</td>
      <td>{process.computer}</td>
      <td class={counts !== undefined && counts.errors > 0 ? 'number error' : 'number'}>
        {counts?.errors ?? 0}
      </td>
      <td class="number">{counts?.warnings ?? 0}</td>
      <td class="number">{counts?.others ?? 0}</td>
      <td>
        <a href={linkTo('logs', { p: process.id })}>logs</a>{' '}
        <a href={linkTo('timeline', { p: process.id })}>timeline</a>
      </td>
    </tr>
  )
}
