import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { LEVELS } from '../../data/levels.ts'
import { SearchBox } from '../../parts/search-box.tsx'
import { set } from '../../state/address.ts'
import { type Chip, chipText, type LogFilters } from './log-filters.ts'

const TYPING_MS = 250

export function FilterBar({
  filters,
  children,
}: {
  readonly filters: LogFilters
  readonly children: ComponentChildren
}) {
  const [typed, setTyped] = useState(filters.text ?? '')
  useEffect(() => setTyped(filters.text ?? ''), [filters.text])
  useEffect(() => {
    if (typed === (filters.text ?? '')) return
    const timer = setTimeout(() => set({ search: typed || undefined }, { replace: true }), TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed])
  return (
    <div class="bar" role="search">
      <SearchBox label="Text in messages" value={typed} onInput={setTyped} />
      <select
        aria-label="Most verbose level"
        value={filters.maxLevel ?? ''}
        onChange={(event) => set({ level: event.currentTarget.value || undefined })}
      >
        <option value="">all levels</option>
        {LEVELS.map((name, level) =>
          level === 0 ? null : (
            <option key={name} value={level}>
              {level === 1 ? name : `${name} and above`}
            </option>
          ),
        )}
      </select>
      <ul class="chips" aria-label="Filters">
        {filters.chips.map((chip) => (
          <li key={chipText(chip)}>
            <button
              type="button"
              class={chip.not ? 'chip not' : 'chip'}
              onClick={() => removeChip(filters, chip)}
            >
              {chip.not ? 'not ' : ''}
              {chip.kind === 'property' ? chip.value : `${chip.kind} ${chip.value}`}
              <span aria-hidden="true"> ×</span>
              <span class="unseen">, remove</span>
            </button>
          </li>
        ))}
      </ul>
      {children}
    </div>
  )
}

export function addChip(filters: LogFilters, chip: Chip): void {
  const others = filters.chips.filter(({ kind, value }) => kind !== chip.kind || value !== chip.value)
  set({ f: [...others, chip].map(chipText) })
}

function removeChip(filters: LogFilters, chip: Chip): void {
  set({ f: filters.chips.filter((other) => other !== chip).map(chipText) })
}
