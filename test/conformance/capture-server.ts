import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { RecordedRequest, Route } from './recording.ts'

/** What a stream's blocks need comes before them, as the Rust program wants it. */
const ORDER: readonly Route[] = ['insert_process', 'insert_stream', 'insert_block']
const ROUTE = /^\/ingestion\/(insert_process|insert_stream|insert_block)$/

export interface CaptureServer extends AsyncDisposable {
  readonly url: string
  /** What was posted so far: processes, streams, blocks, each in order of arrival. */
  readonly requests: readonly RecordedRequest[]
}

/** An ingestion service on this machine that keeps what is posted to it. */
export async function startCaptureServer(): Promise<CaptureServer> {
  const requests: RecordedRequest[] = []
  const server = createServer(async (request, response) => {
    const route = ROUTE.exec(request.url ?? '')?.[1]
    const body = await buffer(request)
    if (route !== undefined) requests.push({ path: route as Route, body })
    response.writeHead(route === undefined ? 404 : 200).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests.toSorted((a, b) => ORDER.indexOf(a.path) - ORDER.indexOf(b.path))
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
