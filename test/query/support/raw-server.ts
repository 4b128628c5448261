import { once } from 'node:events'
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { goldenCall } from './flight-server.ts'

/** A call as it is on the wire. */
export interface RawCall {
  readonly stream: ServerHttp2Stream
  readonly session: ServerHttp2Session
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Sends a message. */
  message(bytes: Uint8Array): void
  /** Ends the call with a status. */
  end(status?: number, details?: string): void
}

export interface RawServer extends AsyncDisposable {
  readonly port: number
  readonly server: Http2Server
  /** Every connection that was ever made. */
  readonly sessions: readonly ServerHttp2Session[]
}

/** gRPC by hand on HTTP/2, for what a gRPC server would not do. */
export async function startRawServer(
  onCall: (call: RawCall) => void,
  tls?: SecureServerOptions,
  port = 0,
): Promise<RawServer> {
  const server = tls === undefined ? createServer() : createSecureServer(tls)
  const sessions: ServerHttp2Session[] = []
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    let trailers: Record<string, string> = {}
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    stream.resume()
    const respond = (): void => {
      if (!stream.headersSent) {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      }
    }
    onCall({
      stream,
      session: stream.session as ServerHttp2Session,
      headers,
      message(bytes) {
        respond()
        const frame = Buffer.alloc(5 + bytes.length)
        frame.writeUInt32BE(bytes.length, 1)
        frame.set(bytes, 5)
        stream.write(frame)
      },
      end(status = 0, details = '') {
        respond()
        trailers = { 'grpc-status': String(status), 'grpc-message': encodeURIComponent(details) }
        stream.end()
      },
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    server,
    sessions,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy()
      server.close()
    },
  }
}

const messages = goldenCall('many-batches').messages.map((message) => Buffer.from(message, 'base64'))
/** The schema of a real answer, and its batches of 100 rows with the columns a, b (int64) and s (string). */
export const [schemaMessage, ...batchMessages] = messages as [Buffer, ...Buffer[]]

/** Answers with the schema and one batch of 100 rows. */
export function answerShortly(call: RawCall): void {
  call.message(schemaMessage)
  call.message(batchMessages[0]!)
  call.end()
}
