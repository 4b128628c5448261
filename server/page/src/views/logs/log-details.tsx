import { levelName } from '../../data/levels.ts'
import { processLabel } from '../../data/process.ts'
import { processById } from '../../data/processes.ts'
import { clockText, dateText, msOfNs, parseTime } from '../../data/time.ts'
import { Copy } from '../../parts/copy.tsx'
import { address, linkTo } from '../../state/address.ts'
import { zone } from '../../state/settings.ts'
import { addChip } from './filter-bar.tsx'
import { readFilters } from './log-filters.ts'
import type { LogRow } from './log-window.ts'

interface Props {
  readonly row: LogRow
  readonly onClose: () => void
  readonly onContext: (row: LogRow) => void
}

export function LogDetails({ row, onClose, onContext }: Props) {
  const ms = msOfNs(parseTime(row.time))
  const process = processById.value.get(row.process_id)
  const filters = readFilters(address.value.params)
  const entries = Object.entries(row.properties ?? {})
  return (
    <aside class="details" aria-label="The selected log">
      <div class="bar">
        <span class={`level ${levelName(row.level)}`}>{levelName(row.level)}</span>
        <span class="grow">{row.target}</span>
        <button type="button" class="small" onClick={onClose} aria-label="Close">
          ×
        </button>
      </div>
      <p class="hint">
        {dateText(ms, zone.value)} {clockText(ms, zone.value, 6)} {zone.value}
        <br />
        {process === undefined ? row.process_id : processLabel(process)}
      </p>
      <pre>{row.msg}</pre>
      {entries.length > 0 && (
        <dl class="properties">
          {entries.map(([name, value]) => (
            <div key={name}>
              <dt>
                {name}{' '}
                <button
                  type="button"
                  class="small"
                  aria-label={`only ${name}=${value}`}
                  onClick={() =>
                    addChip(filters, { kind: 'property', value: `${name}=${value}`, not: false })
                  }
                >
                  =
                </button>
                <button
                  type="button"
                  class="small"
                  aria-label={`not ${name}=${value}`}
                  onClick={() => addChip(filters, { kind: 'property', value: `${name}=${value}`, not: true })}
                >
                  ≠
                </button>
              </dt>
              <dd>
                <pre>{value}</pre>
              </dd>
            </div>
          ))}
        </dl>
      )}
      <div class="bar">
        <button type="button" onClick={() => onContext(row)}>
          What happened around it
        </button>
        {spanLink(row)}
        <Copy label="Copy as JSON" text={() => JSON.stringify(row, undefined, 2)} />
      </div>
    </aside>
  )
}

const NS_AROUND = 60_000_000_000n

/** The span that the row was logged in, where the row says so. */
function spanLink({ properties, process_id: id, time }: LogRow) {
  const span = properties?.span_id
  if (span === undefined || !/^\d+$/.test(span)) return null
  const at = parseTime(time)
  const range = { from: String(at - NS_AROUND), to: String(at + NS_AROUND), last: undefined }
  return <a href={linkTo('timeline', { p: id, span, ...range })}>Its span</a>
}
