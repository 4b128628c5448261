import { useState } from 'preact/hooks'

const SHOWN_MS = 1500

/** A button that copies a text, and says so. */
export function Copy({ label, text }: { readonly label: string; readonly text: () => string }) {
  const [done, setDone] = useState<string>()
  const copy = async (): Promise<void> => {
    const copied = await navigator.clipboard.writeText(text()).then(
      () => true,
      () => false,
    )
    setDone(copied ? 'copied' : 'not allowed')
    setTimeout(() => setDone(undefined), SHOWN_MS)
  }
  return (
    <button type="button" class="small" onClick={() => void copy()}>
      <span aria-live="polite">{done ?? label}</span>
    </button>
  )
}

export function curlText(sql: string, range: { readonly begin: string; readonly end: string }): string {
  const body = JSON.stringify({ sql, time_range_begin: range.begin, time_range_end: range.end })
  const quoted = `'${body.replaceAll("'", "'\\''")}'`
  return `curl -H "authorization: Bearer $MICROMEGAS_API_KEY" -d ${quoted} ${new URL('../gateway/query', location.href.split('#')[0])}`
}
