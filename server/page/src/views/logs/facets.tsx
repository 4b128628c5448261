import { levelName } from '../../data/levels.ts'
import { query } from '../../data/query.ts'
import { asked, set } from '../../state/address.ts'
import { useAnswer } from '../../state/answer.ts'
import { currentRange } from '../../state/range.ts'
import { addChip } from './filter-bar.tsx'
import { facetsSql, type LogFilters } from './log-filters.ts'

interface Count {
  readonly target: string
  readonly level: number
  readonly n: number
}

const EVERY_MS = 3000

/** How many rows of each level and target pass the filters; a click narrows to one, with Alt it leaves it out. */
export function Facets({ filters }: { readonly filters: LogFilters }) {
  const sql = facetsSql(filters)
  const { value, error } = useAnswer(
    (signal) => query<Count>(sql, { range: currentRange(), signal }),
    [sql, asked('from', 'to', 'last')],
    { everyMs: EVERY_MS },
  )
  // The list beside it asks the same conditions and says what is wrong.
  const counts = error === undefined ? (value ?? []) : []
  const levels = sums(counts, ({ level }) => level).sort(([a], [b]) => a - b)
  const targets = sums(counts, ({ target }) => target).sort(([, a], [, b]) => b - a)
  return (
    <aside class="facets" aria-label="Levels and targets">
      <h2>Levels</h2>
      <ul>
        {levels.map(([level, n]) => (
          <li key={level}>
            <button type="button" onClick={() => set({ level: String(level) })}>
              <span class={`level ${levelName(level)}`}>{levelName(level)}</span>
              <span class="number">{n.toLocaleString('en')}</span>
            </button>
          </li>
        ))}
      </ul>
      <h2>Targets</h2>
      <ul>
        {targets.map(([target, n]) => (
          <li key={target}>
            <button
              type="button"
              title={`${target}: click shows it alone, Alt and click leaves it out`}
              onClick={(event) => addChip(filters, { kind: 'target', value: target, not: event.altKey })}
            >
              <span class="name">{target}</span>
              <span class="number">{n.toLocaleString('en')}</span>
            </button>
          </li>
        ))}
      </ul>
    </aside>
  )
}

function sums<K>(counts: readonly Count[], keyOf: (count: Count) => K): [K, number][] {
  const sum = new Map<K, number>()
  for (const count of counts) sum.set(keyOf(count), (sum.get(keyOf(count)) ?? 0) + count.n)
  return [...sum]
}
