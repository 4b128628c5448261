import { batch, useSignal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { download } from '../../data/download.ts'
import { cellText, csvText } from '../../data/export.ts'
import { query } from '../../data/query.ts'
import { durationText, timeText } from '../../data/time.ts'
import { Copy, curlText } from '../../parts/copy.tsx'
import { address, set } from '../../state/address.ts'
import { currentRange } from '../../state/range.ts'
import { complete, offsetOf, placeOf } from './completion.ts'

type Row = Readonly<Record<string, unknown>>

interface Answer {
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
  readonly tookMs: number
}

const MAX_SHOWN = 1000
const MAX_CELL_CHARS = 300
const FIRST = `SELECT level, target, count(*) AS n
FROM log_entries
GROUP BY level, target
ORDER BY n DESC`

const KEYWORDS = (
  'SELECT FROM WHERE GROUP BY ORDER BY LIMIT OFFSET JOIN LEFT JOIN ON AS AND OR NOT NULL IS IN LIKE ILIKE BETWEEN CASE WHEN THEN ' +
  'ELSE END DISTINCT UNION ALL HAVING WITH DESC ASC INTERVAL timestamp count sum avg min max now date_bin date_trunc ' +
  'approx_percentile_cont property_get view_instance process_spans coalesce'
).split(' ')

/** Ask anything; the time range of the page is the query's. */
export function SqlView() {
  const inAddress = address.value.params.get('q') ?? undefined
  const [text, setText] = useState(inAddress ?? FIRST)
  const area = useRef<HTMLTextAreaElement>(null)
  const answer = useSignal<Answer | undefined>(undefined)
  const error = useSignal<string | undefined>(undefined)
  const running = useSignal<AbortController | undefined>(undefined)
  const words = useSignal<readonly string[]>(KEYWORDS)
  const [cursor, setCursor] = useState<number | undefined>(undefined)
  const [chosen, setChosen] = useState(0)
  const completion = cursor === undefined ? undefined : complete(text, cursor, words.value)

  useEffect(() => {
    if (inAddress === undefined || inAddress === text) return
    setText(inAddress)
  }, [inAddress])
  useEffect(() => {
    const stop = new AbortController()
    query<{ table_name: string; column_name: string }>(
      "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema <> 'information_schema'",
      { signal: stop.signal },
    ).then(
      (columns) => {
        const names = columns.flatMap(({ table_name, column_name }) => [table_name, column_name])
        words.value = [...new Set([...names.sort(), ...KEYWORDS])]
      },
      (reason: unknown) => {
        if (!stop.signal.aborted) console.warn('Names of views and columns cannot be completed', reason)
      },
    )
    return () => stop.abort()
  }, [])
  useEffect(() => () => running.peek()?.abort(), [])

  const run = async (): Promise<void> => {
    if (text.trim() === '') return
    running.value?.abort()
    const stop = new AbortController()
    running.value = stop
    set({ q: text }, { replace: inAddress === undefined })
    const start = performance.now()
    try {
      const rows = await query<Row>(text, { range: currentRange(), signal: stop.signal })
      batch(() => {
        error.value = undefined
        answer.value = { columns: Object.keys(rows[0] ?? {}), rows, tookMs: performance.now() - start }
      })
    } catch (reason) {
      if (stop.signal.aborted) return
      const message = reason instanceof Error ? reason.message : String(reason)
      error.value = message
      const place = placeOf(message)
      if (place !== undefined) {
        const at = offsetOf(text, place)
        area.current?.focus()
        area.current?.setSelectionRange(at, at)
      }
    } finally {
      if (running.value === stop) running.value = undefined
    }
  }
  // A query that came with the address is what the user wants to see.
  useEffect(() => {
    if (inAddress !== undefined) void run()
  }, [])

  const insert = (word: string): void => {
    if (completion === undefined || cursor === undefined) return
    const next = text.slice(0, completion.start) + word + text.slice(cursor)
    setText(next)
    setCursor(undefined)
    requestAnimationFrame(() => {
      const at = completion.start + word.length
      area.current?.setSelectionRange(at, at)
    })
  }
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      setCursor(undefined)
      void run()
      return
    }
    if (completion === undefined) return
    const count = completion.words.length
    if (event.key === 'ArrowDown') setChosen((chosen + 1) % count)
    else if (event.key === 'ArrowUp') setChosen((chosen + count - 1) % count)
    else if (event.key === 'Tab' || event.key === 'Enter')
      insert(completion.words[chosen] ?? completion.words[0]!)
    else if (event.key === 'Escape') setCursor(undefined)
    else return
    event.preventDefault()
  }
  const range = currentRange()
  const curlRange = { begin: timeText(range.beginNs), end: timeText(range.endNs) }
  return (
    <section class="sql">
      <h1 class="unseen">SQL</h1>
      <div class="editor">
        <textarea
          ref={area}
          aria-label="SQL"
          aria-autocomplete="list"
          aria-controls="completions"
          spellcheck={false}
          rows={Math.min(16, Math.max(6, text.split('\n').length + 1))}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value)
            setCursor(event.currentTarget.selectionStart)
            setChosen(0)
          }}
          onBlur={() => setCursor(undefined)}
          onKeyDown={onKey}
        />
        <ul id="completions" class="completions" aria-label="Completions" hidden={completion === undefined}>
          {completion?.words.map((word, i) => (
            <li key={word} class={i === chosen ? 'chosen' : ''}>
              <button
                type="button"
                tabIndex={-1}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => insert(word)}
              >
                {word}
              </button>
            </li>
          ))}
        </ul>
      </div>
      <div class="bar">
        <button type="button" class="main" onClick={() => void run()}>
          Run
        </button>
        {running.value !== undefined && (
          <button type="button" onClick={() => running.value?.abort()}>
            Stop
          </button>
        )}
        <span class="hint">Ctrl Enter runs it, within the time range above</span>
        <span class="grow" />
        <Copy label="Copy SQL" text={() => text} />
        <Copy label="Copy as curl" text={() => curlText(text, curlRange)} />
      </div>
      {error.value !== undefined && (
        <pre class="failure" role="alert">
          {error.value}
        </pre>
      )}
      {answer.value !== undefined && error.value === undefined && <Result answer={answer.value} />}
    </section>
  )
}

function Result({ answer }: { readonly answer: Answer }) {
  const { columns, rows, tookMs } = answer
  const json = (): string => JSON.stringify(rows, undefined, 2)
  return (
    <>
      <div class="bar">
        <span role="status">
          {rows.length.toLocaleString('en')} {rows.length === 1 ? 'row' : 'rows'} in{' '}
          {durationText(tookMs * 1e6)}
          {rows.length > MAX_SHOWN && `; the first ${MAX_SHOWN.toLocaleString('en')} are shown`}
        </span>
        <span class="grow" />
        <button
          type="button"
          class="small"
          onClick={() => download('result.csv', 'text/csv', [csvText(columns, rows)])}
        >
          CSV
        </button>
        <button
          type="button"
          class="small"
          onClick={() => download('result.json', 'application/json', [json()])}
        >
          JSON
        </button>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Result">
        <table class="list">
          <thead>
            <tr>
              {columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MAX_SHOWN).map((row, i) => (
              <tr key={i}>
                {columns.map((name) => (
                  <Cell key={name} value={row[name]} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function Cell({ value }: { readonly value: unknown }) {
  if (value === null || value === undefined) return <td class="hint">null</td>
  const text = cellText(value)
  return (
    <td
      class={typeof value === 'number' ? 'number' : undefined}
      title={text.length > MAX_CELL_CHARS ? text.slice(0, 5000) : undefined}
    >
      {text.length > MAX_CELL_CHARS ? `${text.slice(0, MAX_CELL_CHARS)} …` : text}
    </td>
  )
}
