import { levelName } from '../../data/levels.ts'
import { processLabel } from '../../data/process.ts'
import { processById } from '../../data/processes.ts'
import { clockText, dateText, msOfNs, parseTime } from '../../data/time.ts'
import { Copy } from '../../parts/copy.tsx'
import { address } from '../../state/address.ts'
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
        <Copy label="Copy as JSON" text={() => JSON.stringify(row, undefined, 2)} />
      </div>
    </aside>
  )
}
