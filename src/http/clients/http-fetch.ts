import type { IncomingMessage } from 'node:http'
import { type Clock, platformClock } from '../../model/runtime/clock.ts'
import type { ProxyRoute } from '../proxy/proxy.ts'
import { HttpClient } from './http-client.ts'

/** The part of `fetch` that requests for tokens use. */
export interface HttpFetchRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  readonly signal: AbortSignal
}

/** An answer; redirects are not followed. */
export interface HttpFetchResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * Makes a `fetch` of {@link HttpClient}: Node's own takes 60 to 100 ms to load, tells the host's instrumentations of what
 * it does, and goes by no proxy. One connection a request: tokens are asked for every few minutes, and a connection that is
 * kept so long would be stale. It keeps the process alive until it is answered, as `fetch` does.
 */
export function createHttpFetch(
  proxyOf: (url: URL) => ProxyRoute | undefined = () => undefined,
  clock: Clock = platformClock,
): (url: string, request: HttpFetchRequest) => Promise<HttpFetchResponse> {
  return async (text, { method, headers, body, signal }) => {
    const url = new URL(text)
    const client = new HttpClient({ service: url, proxy: proxyOf(url), clock, holds: true })
    try {
      const path = url.pathname + url.search
      const bytes = body === null ? undefined : Buffer.from(body)
      const answer = await client.send({ method, path, headers, body: bytes }, signal)
      return { status: answer.statusCode ?? 0, headers: headersOf(answer), body: bodyOf(answer, client) }
    } catch (error) {
      await client.close()
      throw error
    }
  }
}

function headersOf({ headers }: IncomingMessage): HttpFetchResponse['headers'] {
  return {
    get(name) {
      const value = headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : (value ?? null)
    },
  }
}

async function* bodyOf(answer: IncomingMessage, client: HttpClient): AsyncGenerator<Uint8Array> {
  try {
    yield* answer
  } finally {
    await client.close()
  }
}
