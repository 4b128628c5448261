import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type MicromegasServer,
  type ServerEvent,
  type ServerOptions,
  startServer as startMicromegasServer,
} from '../../src/index.ts'
import type { Block } from './telemetry.ts'

export interface TestServer extends MicromegasServer {
  /** What the server reported, in order. */
  readonly events: ServerEvent[]
  /** Reasons of refusals and warnings, for `toContain`. */
  readonly reasons: () => string[]
}

/** A server on a free port without authentication; its data is deleted with it unless `dataDir` says where. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const events: ServerEvent[] = []
  const hasAuth = options.apiKeys !== undefined || options.oidc !== undefined
  const server = await startMicromegasServer({
    port: 0,
    flightPort: 0,
    disableAuth: !hasAuth,
    temporary: options.dataDir === undefined,
    onEvent: (event) => events.push(event),
    ...options,
  })
  const reasons = (): string[] =>
    events.flatMap((event) => {
      if (event.type === 'refused' || event.type === 'undecodable') return [event.reason]
      return event.type === 'warning' ? [event.message] : []
    })
  return Object.assign(server, { events, reasons })
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** One request as it stands: no normalising of the path, no headers that are not asked for. */
export function send(
  url: string,
  path: string,
  options: RequestOptions & { readonly body?: Uint8Array | undefined } = {},
): Promise<Answer> {
  const { body, ...rest } = options
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname: hostname.replace(/[[\]]/g, ''), port, path, agent: false, ...rest },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const { statusCode = 0, headers } = response
          resolve({ status: statusCode, headers, text: Buffer.concat(chunks).toString('utf8') })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export type Route = 'process' | 'stream' | 'block'

export function post(
  server: { readonly url: string },
  route: Route,
  body: Uint8Array,
  headers = {},
): Promise<Answer> {
  return send(server.url, `/ingestion/insert_${route}`, { method: 'POST', body, headers })
}

/** Sends and expects 200. */
export async function insert(
  server: { readonly url: string },
  route: Route,
  ...bodies: Uint8Array[]
): Promise<void> {
  for (const body of bodies) {
    const answer = await post(server, route, body)
    if (answer.status !== 200) throw new Error(`insert_${route}: ${answer.status} ${answer.text}`)
  }
}

export function insertBlocks(server: { readonly url: string }, ...blocks: Block[]): Promise<void> {
  return insert(server, 'block', ...blocks.map(({ body }) => body))
}

// biome-ignore lint/suspicious/noExplicitAny: tests look at JSON of all shapes
export async function getJson(server: { readonly url: string }, path: string, headers = {}): Promise<any> {
  const { text } = await send(server.url, path, { headers })
  return JSON.parse(text)
}

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'micromegas-test-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
