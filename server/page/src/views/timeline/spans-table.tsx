import { useState } from 'preact/hooks'
import { durationText } from '../../data/time.ts'
import type { TimelineData } from './timeline-data.ts'
import type { Stretch } from './viewport.ts'

const MOST = 200

/** What is in view as text, for those who cannot use the canvas, and for those who want the longest. */
export function SpansTable(props: {
  readonly data: TimelineData
  readonly view: Stretch
  readonly onSelect: (index: number) => void
}) {
  const [opened, setOpened] = useState(false)
  return (
    <details onToggle={(event) => setOpened((event.currentTarget as HTMLDetailsElement).open)}>
      <summary>The longest spans in view, as a table</summary>
      {opened && <Longest {...props} />}
    </details>
  )
}

function Longest({ data, view, onSelect }: Parameters<typeof SpansTable>[0]) {
  const { spans } = data
  return (
    <div class="scroll">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">span</th>
            <th scope="col">target</th>
            <th scope="col">on</th>
            <th scope="col" class="number">
              after
            </th>
            <th scope="col" class="number">
              duration
            </th>
            <th scope="col" class="number">
              self
            </th>
          </tr>
        </thead>
        <tbody>
          {spans.longest(view.from, view.to, MOST).map((i) => {
            const row = spans.rows[i]!
            return (
              <tr key={`${row.stream_id} ${row.id}`}>
                <td>
                  <button type="button" class="small" onClick={() => onSelect(i)}>
                    {row.name}
                  </button>
                </td>
                <td>{row.target}</td>
                <td>{row.thread_name}</td>
                <td class="number">{durationText(Math.max(0, row.b - view.from))}</td>
                <td class="number">{durationText(row.d)}</td>
                <td class="number">{durationText(spans.selfTime(i))}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
