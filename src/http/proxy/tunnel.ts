import type { Socket } from 'node:net'
import { readStatus } from '../answer/response-head.ts'
import { type OpenSocket, whenConnected } from '../clients/sockets.ts'
import { hostOf, portOf } from '../host.ts'
import { type ProxyRoute, proxyHeaders } from './proxy.ts'

const MAX_HEAD_BYTES = 64 * 1024

/**
 * Opens TLS connections to a service through a tunnel that a proxy makes (`CONNECT`, RFC 9110 section 9.3.6).
 *
 * @param service - https.
 */
export function openTunnel(service: URL, proxy: ProxyRoute): OpenSocket {
  return (_options, onSocket, opened) => {
    const tls = process.getBuiltinModule('node:tls')
    const toProxy = connectTo(proxy.url)
    onSocket(toProxy)
    askForTunnel(toProxy, service, proxy, (error) => {
      if (error !== undefined) {
        toProxy.destroy()
        opened(error)
        return
      }
      const host = hostOf(service) // an address is verified by it, a name by the server name
      const secured = tls.connect({ socket: toProxy, host, servername: serverName(host) })
      onSocket(secured)
      whenConnected(secured, true, opened)
    })
  }
}

/** By hand: Node's client takes an interim answer to `CONNECT` for the tunnel. */
function askForTunnel(
  socket: Socket,
  service: URL,
  proxy: ProxyRoute,
  done: (error: Error | undefined) => void,
): void {
  const authority = `${service.hostname}:${portOf(service)}`
  const headers = Object.entries({ host: authority, ...proxyHeaders(proxy.url) })
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  let head = ''
  const end = (problem?: string, cause?: Error): void => {
    socket.off('data', onData)
    socket.off('error', onError)
    socket.off('close', onClose)
    socket.pause()
    done(problem === undefined ? undefined : new Error(`the proxy ${problem}`, cause && { cause }))
  }
  const onError = (error: NodeJS.ErrnoException): void =>
    end(`cannot be used: ${error.code ?? error.message}`, error)
  const onClose = (): void => end('closed the connection')
  const onData = (chunk: Buffer): void => {
    head += chunk.toString('latin1')
    try {
      const status = readStatus(head, false)?.status
      if (status === undefined && head.length < MAX_HEAD_BYTES) return
      if (status === undefined) end('does not answer in HTTP')
      else if (status > 299) end(`answers ${status}`)
      else end()
    } catch {
      end('does not answer in HTTP')
    }
  }
  socket.on('data', onData)
  socket.on('error', onError)
  socket.on('close', onClose)
  socket.write(`CONNECT ${authority} HTTP/1.1\r\n${lines.join('')}\r\n`)
}

/** A connection to the proxy itself, still being made. */
function connectTo(url: URL): Socket {
  const host = hostOf(url)
  const port = portOf(url)
  if (url.protocol === 'http:') return process.getBuiltinModule('node:net').connect({ host, port })
  return process.getBuiltinModule('node:tls').connect({ host, port, servername: serverName(host) })
}

/** What TLS asks for: no address (RFC 6066 section 3). */
function serverName(host: string): string {
  return process.getBuiltinModule('node:net').isIP(host) === 0 ? host : ''
}
