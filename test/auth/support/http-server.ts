import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:port`, no slash at the end. */
  readonly origin: string
  /** Requests that are being answered now. */
  readonly active: number
  /** The most that were answered at one time. */
  readonly maxActive: number
}

/** A server on a free port of 127.0.0.1 that closes with all its connections. */
export async function startServer(handler: Handler): Promise<TestServer> {
  let active = 0
  let maxActive = 0
  const server = createServer((request, response) => {
    active++
    maxActive = Math.max(maxActive, active)
    response.on('close', () => {
      active--
    })
    void Promise.resolve(handler(request, response)).catch((error) => response.destroy(error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    get active() {
      return active
    },
    get maxActive() {
      return maxActive
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
