import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** A forward proxy on loopback that takes every name for this machine. */
export interface ForwardProxy extends AsyncDisposable {
  readonly url: string
  /** Request lines, as they came: `CONNECT host:443`, `POST http://host/path`. */
  readonly asked: string[]
  /** The `proxy-authorization` headers, as they came. */
  readonly authorizations: (string | undefined)[]
}

export interface ForwardProxyOptions {
  /** Port of this machine that everything goes to. */
  readonly to: number
  /** Ports that tunnels may be made to: many proxies allow 443 only. @defaultValue `[443]` */
  readonly tunnelPorts?: readonly number[]
  /** Bytes written before the answer to `CONNECT`. */
  readonly beforeTunnel?: string
  /** Address to listen on. @defaultValue `127.0.0.1` */
  readonly host?: string
}

export async function startForwardProxy(options: ForwardProxyOptions): Promise<ForwardProxy> {
  const { to, tunnelPorts = [443], beforeTunnel = '', host = '127.0.0.1' } = options
  const asked: string[] = []
  const authorizations: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  const note = ({ method, url, headers }: IncomingMessage): void => {
    asked.push(`${method} ${url}`)
    authorizations.push(headers['proxy-authorization'])
  }

  const server = createServer((message, response) => {
    note(message)
    if (!message.url?.startsWith('http://')) {
      response.writeHead(400).end()
      return
    }
    forward(message, response, to)
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.on('connect', (message: IncomingMessage, client: Socket) => {
    note(message)
    const port = Number(/:(\d+)$/.exec(message.url ?? '')?.[1])
    if (!tunnelPorts.includes(port)) {
      client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
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
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    asked,
    authorizations,
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
