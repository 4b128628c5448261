import { Copy } from '../parts/copy.tsx'
import { key } from '../state/key.ts'

/** What is shown until the first process has come. */
export function FirstRun() {
  const lines = [
    'npm install micromegas',
    `export MICROMEGAS_TELEMETRY_URL=${location.origin}`,
    ...(key.value === undefined ? [] : ['export MICROMEGAS_INGESTION_API_KEY=… # the key of this server']),
    'node --import micromegas/register app.js',
  ].join('\n')
  return (
    <section class="card">
      <h1>Nothing has come yet</h1>
      <p>Start a service of yours with these lines, where app.js is its program:</p>
      <pre>{lines}</pre>
      <Copy label="Copy" text={() => lines} />
      <p>
        Its requests, logs and metrics are recorded without a change to its code. It appears here by itself,
        within about a second.
      </p>
      <p class="hint" role="status">
        Waiting for a first process …
      </p>
    </section>
  )
}
