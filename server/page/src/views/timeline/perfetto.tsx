import { useState } from 'preact/hooks'
import { bytesOf } from '../../data/bytes.ts'
import { download } from '../../data/download.ts'
import { errorText } from '../../data/error-text.ts'
import { query, type TimeRange } from '../../data/query.ts'
import { Menu } from '../../parts/menu.tsx'
import { traceSql } from './trace-sql.ts'

const UI = 'https://ui.perfetto.dev'
const PING_MS = 100
const PATIENCE_MS = 20_000

/** The trace of a process as a file, or in Perfetto's own page, which keeps it in the browser. */
export function Perfetto({ id, range }: { readonly id: string; readonly range: TimeRange }) {
  const [trace, setTrace] = useState<Blob>()
  const [state, setState] = useState<string>()
  const prepare = async (): Promise<void> => {
    setState('making the trace …')
    try {
      const chunks = await query<{ chunk_data: string }>(traceSql(id, range), { range })
      setTrace(new Blob(chunks.map(({ chunk_data }) => bytesOf(chunk_data))))
      setState(undefined)
    } catch (error) {
      setState(errorText(error))
    }
  }
  const name = `${id}.pftrace`
  return (
    <Menu
      label="Perfetto"
      side="right"
      onToggle={(open) => {
        // What is prepared is of the range of now; browsers open windows only right after a click.
        if (open) void prepare()
        else setTrace(undefined)
      }}
    >
      {state !== undefined && <span role="status">{state}</span>}
      {trace !== undefined && (
        <>
          <button type="button" onClick={() => download(name, 'application/octet-stream', [trace])}>
            Download {(trace.size / 1024).toFixed(0)} KiB
          </button>
          <button type="button" onClick={() => void handOver(trace, name).then(setState)}>
            Open in ui.perfetto.dev
          </button>
          <span class="hint">
            The trace stays in your browser; the page of Perfetto comes from the internet.
          </span>
        </>
      )}
    </Menu>
  )
}

/** Opens Perfetto's page and posts the trace to it once it answers; what went wrong, if anything. */
export async function handOver(trace: Blob, title: string): Promise<string | undefined> {
  const opened = window.open(UI)
  if (opened === null) return 'The browser did not allow another window: download the file instead'
  const buffer = await trace.arrayBuffer()
  return new Promise((resolve) => {
    const patience = setTimeout(
      () => end('ui.perfetto.dev did not answer: download the file instead'),
      PATIENCE_MS,
    )
    const ping = setInterval(() => opened.postMessage('PING', UI), PING_MS)
    const onMessage = ({ origin, data, source }: MessageEvent): void => {
      if (origin !== UI || source !== opened || data !== 'PONG') return
      opened.postMessage({ perfetto: { buffer, title } }, UI)
      end(undefined)
    }
    const end = (problem: string | undefined): void => {
      clearTimeout(patience)
      clearInterval(ping)
      removeEventListener('message', onMessage)
      resolve(problem)
    }
    addEventListener('message', onMessage)
  })
}
