import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** A native ingestion route, below `/ingestion/`. */
export type Route = 'insert_process' | 'insert_stream' | 'insert_block'

/** One request as it was posted. A recording is a text of such requests, in order: a JSON line each, the body in Base64. */
export interface RecordedRequest {
  readonly path: Route
  readonly body: Uint8Array
}

export function parseRecording(text: string): RecordedRequest[] {
  return lines(text).map((line) => {
    const { path, body } = JSON.parse(line) as { path: Route; body: string }
    return { path, body: Buffer.from(body, 'base64') }
  })
}

export function formatRecording(requests: readonly RecordedRequest[]): string {
  return requests
    .map(({ path, body }) => `${JSON.stringify({ path, body: Buffer.from(body).toString('base64') })}\n`)
    .join('')
}

export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** Who recorded, and what: the requests, or what the crates read in them. Stored compressed under `fixtures/`. */
export type FixtureName = `${'node' | 'rust'}-sdk.${'requests' | 'decoded'}`

export function fixtureUrl(name: FixtureName): URL {
  return new URL(`./fixtures/${name}.jsonl.gz`, import.meta.url)
}

export function readFixture(name: FixtureName): string {
  return gunzipSync(readFileSync(fixtureUrl(name))).toString()
}
