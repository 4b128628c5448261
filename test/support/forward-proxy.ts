import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Certificate } from './certificate.ts'

/** A forward proxy on loopback that takes every name for this machine. */
export interface ForwardProxy extends AsyncDisposable {
  readonly url: string
  /** Request lines, as they came: `CONNECT host:443`, `POST http://host/path`. */
  readonly asked: string[]
  /** The `proxy-authorization` headers, as they came. */
  readonly authorizations: (string | undefined)[]
  /** Connections that were made to it. */
  readonly connections: number
}

export interface ForwardProxyOptions {
  /** Port of this machine that everything goes to. */
  readonly to: number
  /** Ports that tunnels may be made to: many proxies allow 443 only. @defaultValue `[443]` */
  readonly tunnelPorts?: readonly number[]
  /** Bytes written before the answer to `CONNECT`. */
  readonly beforeTunnel?: string
  /** What it answers, instead of doing what it is asked to. */
  readonly status?: number
  /** With it, it is spoken to over TLS. */
  readonly certificate?: Certificate
  /** Address to listen on. @defaultValue `127.0.0.1` */
  readonly host?: string
}

export async function startForwardProxy(options: ForwardProxyOptions): Promise<ForwardProxy> {
  const { to, tunnelPorts = [443], beforeTunnel = '', status, certificate, host = '127.0.0.1' } = options
  let connections = 0
  const asked: string[] = []
  const authorizations: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  const note = ({ method, url, headers }: IncomingMessage): void => {
    asked.push(`${method} ${url}`)
    authorizations.push(headers['proxy-authorization'])
  }

  const onRequest = (message: IncomingMessage, response: ServerResponse): void => {
    note(message)
    if (status !== undefined || !message.url?.startsWith('http://')) {
      message.resume()
      response.writeHead(status ?? 400).end()
      return
    }
    forward(message, response, to)
  }
  const server =
    certificate === undefined ? createServer(onRequest) : createTlsServer({ ...certificate }, onRequest)
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.on('connect', (message: IncomingMessage, client: Socket) => {
    note(message)
    const port = Number(/:(\d+)$/.exec(message.url ?? '')?.[1])
    if (status !== undefined || !tunnelPorts.includes(port)) {
      client.end(`HTTP/1.1 ${status ?? 403} Refused\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const upstream = connect(to, '127.0.0.1', () => {
      client.write(`${beforeTunnel}HTTP/1.1 200 Connection established\r\n\r\n`)
      client.pipe(upstream).pipe(client)
    })
    upstream.on('error', () => client.destroy())
    client.on('close', () => upstream.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    asked,
    authorizations,
    get connections() {
      return connections
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function forward(message: IncomingMessage, response: ServerResponse, to: number): void {
  const { pathname, search, host } = new URL(message.url ?? '')
  const { 'proxy-authorization': _, ...headers } = message.headers
  const onward = httpRequest({
    host: '127.0.0.1',
    port: to,
    method: message.method,
    path: pathname + search,
    headers: { ...headers, host, via: '1.1 test' },
    agent: false,
  })
  onward.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  message.pipe(onward)
}
