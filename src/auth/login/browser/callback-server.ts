import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TelemetryError } from '../../../model/errors.ts'
import { type CallbackPage, renderPage } from './callback-page.ts'
import { portHolder } from './port-holder.ts'

/** The redirect that the identity provider sent the browser on. */
export interface Callback {
  /** With the provider's parameters. */
  readonly url: URL
  /** Shows the browser how the login ended; to be called once. */
  readonly answer: (page: CallbackPage) => void
}

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  connection: 'close',
}

/**
 * Listens on the loopback interface, and nowhere else, for the browser that a provider sends back. Any number of other
 * requests (a favicon, a stray tab, another login's state) is answered without ending the wait.
 */
export class CallbackServer implements AsyncDisposable {
  readonly #servers: readonly Server[]
  /** Where the browser must come back to; its port is the one that is listened on. */
  readonly redirectUri: URL
  readonly #callback: Promise<Callback>

  private constructor(servers: readonly Server[], redirectUri: URL, state: string) {
    this.#servers = servers
    this.redirectUri = redirectUri
    this.#callback = new Promise((resolve) => {
      for (const server of servers) this.#serve(server, state, resolve)
    })
  }

  /**
   * @param redirectUri - With port 0 any free port is taken.
   * @param state - The `state` of the login that is waited for.
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when the port is taken, naming who holds it where that can be
   * told.
   */
  static async listen(redirectUri: URL, state: string): Promise<CallbackServer> {
    const port = redirectUri.port === '' ? 80 : Number(redirectUri.port)
    const first = await listen('127.0.0.1', port)
    const actual = (first.address() as AddressInfo).port
    const servers = [first]
    try {
      servers.push(await listen('::1', actual))
    } catch (error) {
      // Without IPv6 a browser takes the other one. Somebody else's server there would get this login's code, though.
      if ((error as { cause?: { code?: string } }).cause?.code === 'EADDRINUSE') {
        first.close()
        throw error
      }
    }
    const uri = new URL(redirectUri)
    uri.port = String(actual)
    return new CallbackServer(servers, uri, state)
  }

  /** The redirect of this login. @param signal - Ends the waiting. */
  async wait(signal: AbortSignal): Promise<Callback> {
    signal.throwIfAborted()
    const ended = new AbortController()
    try {
      const aborted = once(signal, 'abort', { signal: ended.signal }).then(() =>
        Promise.reject(signal.reason),
      )
      aborted.catch(() => {}) // it loses the race
      return await Promise.race([this.#callback, aborted])
    } finally {
      ended.abort()
    }
  }

  /** Frees the port. Answers that were given are still sent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#servers.map((server) => {
        const closed = once(server, 'close')
        server.close()
        server.closeIdleConnections()
        setTimeout(() => server.closeAllConnections(), 500).unref()
        return closed
      }),
    )
  }

  #serve(server: Server, state: string, resolve: (callback: Callback) => void): void {
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', this.redirectUri)
      if (url.pathname !== this.redirectUri.pathname) {
        return send(response, {
          status: 404,
          title: 'Not found',
          text: 'A login is waited for at another address.',
        })
      }
      if (request.method !== 'GET') {
        return send(response, { status: 405, title: 'Not allowed', text: 'This address takes GET only.' })
      }
      if (url.searchParams.get('state') !== state) {
        return send(response, {
          status: 400,
          title: 'Not this login',
          text: 'The state of this login is not the one that is waited for. Go back to the terminal and open the address it shows.',
        })
      }
      resolve({ url, answer: (page) => send(response, page) })
    })
  }
}

async function listen(host: string, port: number): Promise<Server> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 })
  // It keeps the process alive: in a command, nothing else may be there that does while a person logs in.
  server.listen(port, host)
  try {
    await once(server, 'listening')
    return server
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const holder = code === 'EADDRINUSE' ? await portHolder(port) : undefined
    const taken = holder === undefined ? 'another process' : holder
    const state =
      code === 'EADDRINUSE'
        ? `${taken} listens there; end it, or log in with a device code`
        : `${code ?? String(error)}`
    throw new TelemetryError(
      'ERR_TELEMETRY_CONFIG',
      `Cannot wait for the browser on port ${port}: ${state}`,
      {
        cause: error,
      },
    )
  }
}

function send(response: ServerResponse, page: CallbackPage): void {
  if (!response.headersSent) response.writeHead(page.status, HEADERS)
  response.end(renderPage(page))
}
