import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net'
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { TelemetryError } from 'micromegas/wire'
import { AUTH_ANSWERS, type Authenticator } from '../auth/authenticator.ts'
import type { Identity } from '../auth/identity.ts'
import type { BulkIngest } from '../replicate/bulk-ingest.ts'
import type { SqlEngine } from '../sql/engine.ts'
import { type FlightCall, FlightCalls } from './flight-calls.ts'
import { FlightError, statusOf } from './flight-error.ts'
import { SERVING } from './messages.ts'

export interface FlightServerOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly engine: SqlEngine
  readonly bulk: Pick<BulkIngest, 'ingest'>
  /** Judges the `authorization` of a call. */
  readonly authenticator: Authenticator
  /** Connections at a time; more are turned away. */
  readonly maxConnections: number
  /** Told of each connection that is turned away. */
  readonly onFull: () => void
  /** Told of calls that are refused, and of errors that no one foresaw. */
  readonly onRefused: (refusal: {
    readonly path: string
    readonly status: number
    readonly reason: string
  }) => void
}

/** Largest message that is taken, as on the reference servers. */
const MAX_REQUEST_BYTES = 100 * 1024 * 1024
/** Large answers stall less often than with the 64 KiB that HTTP/2 begins with. */
const FLOW_CONTROL_WINDOW = 4 * 1024 * 1024
/** A connection without a call for so long is closed; clients make another one when they need it. */
const MAX_IDLE_MS = 10 * 60_000
const SERVICE = '/arrow.flight.protocol.FlightService/'
const HEALTH = '/grpc.health.v1.Health/'

const raw = (bytes: Buffer): Buffer => bytes

function method(path: string, requestStream: boolean, responseStream: boolean) {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  }
}

const DEFINITION: ServiceDefinition = {
  DoGet: method(`${SERVICE}DoGet`, false, true),
  GetFlightInfo: method(`${SERVICE}GetFlightInfo`, false, false),
  GetSchema: method(`${SERVICE}GetSchema`, false, false),
  DoPut: method(`${SERVICE}DoPut`, true, true),
  DoAction: method(`${SERVICE}DoAction`, false, true),
  ListActions: method(`${SERVICE}ListActions`, false, true),
  Check: method(`${HEALTH}Check`, false, false),
}

/** FlightSQL over gRPC, without TLS, which is the load balancer's affair. */
export class FlightServer {
  readonly port: number
  readonly #server: Server
  readonly #listener: NetServer
  readonly #sockets: ReadonlySet<Socket>

  private constructor(server: Server, listener: NetServer, sockets: ReadonlySet<Socket>) {
    this.#server = server
    this.#listener = listener
    this.#sockets = sockets
    this.port = (listener.address() as AddressInfo).port
  }

  /** @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when the port cannot be had. */
  static async listen(options: FlightServerOptions): Promise<FlightServer> {
    const server = new Server({
      'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
      'grpc.max_send_message_length': -1,
      'grpc.max_connection_idle_ms': MAX_IDLE_MS,
      'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW,
    })
    server.addService(DEFINITION, implementation(options))
    // The library has no bound on connections, and reports a port that is taken on the console.
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
    const sockets = new Set<Socket>()
    const listener = createServer((socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      injector.injectConnection(socket)
    })
    listener.maxConnections = options.maxConnections
    listener.on('drop', () => options.onFull())
    const { host, port } = options
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
    try {
      await new Promise<void>((resolve, reject) => {
        listener.once('error', reject)
        listener.listen(port, host, resolve)
      })
      return new FlightServer(server, listener, sockets)
    } catch (cause) {
      server.forceShutdown()
      const { code, message } = cause as NodeJS.ErrnoException
      const reason =
        code === 'EADDRINUSE'
          ? 'the port is taken; choose another one with --flight-port (option flightPort)'
          : message
      throw new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot listen on ${address}: ${reason}`, { cause })
    }
  }

  /** Takes no more calls and waits for those under way, which are ended when the time is over. */
  async close(timeoutMs: number): Promise<void> {
    this.#listener.close()
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#server.forceShutdown()
        resolve()
      }, timeoutMs)
      this.#server.tryShutdown(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    for (const socket of this.#sockets) socket.destroy()
  }
}

function implementation(options: FlightServerOptions): UntypedServiceImplementation {
  const calls = new FlightCalls(options.engine, options.bulk)
  const check: handleUnaryCall<Buffer, Buffer> = (_call, answer) => answer(null, SERVING)
  return {
    DoGet: streaming(options, (request, call) => calls.doGet(request, call)),
    DoPut: putting(options, (requests, call) => calls.doPut(requests, call)),
    DoAction: streaming(options, (request, call) => calls.doAction(request, call)),
    ListActions: streaming(options, () => calls.listActions()),
    GetFlightInfo: unary(options, (request) => calls.getFlightInfo(request)),
    GetSchema: unary(options, (request, call) => calls.getSchema(request, call)),
    Check: check,
  }
}

type AnswerStream = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>
type Messages = AsyncIterable<Buffer> | Iterable<Buffer>

function streaming(
  options: FlightServerOptions,
  run: (request: Buffer, call: FlightCall) => Messages,
): handleServerStreamingCall<Buffer, Buffer> {
  return (stream) => answer(options, stream, (call) => run(stream.request, call))
}

function putting(
  options: FlightServerOptions,
  run: (requests: AsyncIterable<Buffer>, call: FlightCall) => Messages,
): handleBidiStreamingCall<Buffer, Buffer> {
  return (stream) =>
    // Reading to the end must not close what is answered on.
    answer(options, stream, (call) => run(stream.iterator({ destroyOnReturn: false }), call))
}

async function answer(
  options: FlightServerOptions,
  stream: AnswerStream,
  run: (call: FlightCall) => Messages,
): Promise<void> {
  const abort = new AbortController()
  stream.on('cancelled', () => abort.abort(new FlightError(status.CANCELLED, 'the client has left')))
  stream.on('error', () => abort.abort(new FlightError(status.CANCELLED, 'the connection broke')))
  try {
    const identity = await identityOf(options, stream.getPath(), stream.metadata)
    const call = { metadata: stream.metadata, identity, signal: abort.signal }
    for await (const message of run(call)) {
      if (abort.signal.aborted) return
      if (!stream.write(message)) await drained(stream, abort.signal)
    }
    stream.end()
  } catch (error) {
    if (abort.signal.aborted) return
    stream.emit('error', failure(options, stream.getPath(), error))
  }
}

function unary(
  options: FlightServerOptions,
  run: (request: Buffer, call: FlightCall) => Buffer | Promise<Buffer>,
): handleUnaryCall<Buffer, Buffer> {
  return async (call, answer) => {
    const abort = new AbortController()
    call.on('cancelled', () => abort.abort(new FlightError(status.CANCELLED, 'the client has left')))
    try {
      const identity = await identityOf(options, call.getPath(), call.metadata)
      answer(null, await run(call.request, { metadata: call.metadata, identity, signal: abort.signal }))
    } catch (error) {
      answer(failure(options, call.getPath(), error))
    }
  }
}

async function identityOf(options: FlightServerOptions, path: string, metadata: Metadata): Promise<Identity> {
  const [authorization] = metadata.get('authorization')
  const text = typeof authorization === 'string' ? authorization : undefined
  const outcome = await options.authenticator.authenticate(text)
  if (outcome.ok) return outcome.identity
  options.onRefused({ path, status: outcome.status, reason: outcome.reason })
  const code = outcome.status === 401 ? status.UNAUTHENTICATED : status.UNAVAILABLE
  throw new FlightError(code, AUTH_ANSWERS[outcome.status].toLowerCase())
}

function failure(options: FlightServerOptions, path: string, error: unknown): ReturnType<typeof statusOf> {
  const told = statusOf(error)
  if (told.details === 'internal error') {
    options.onRefused({
      path,
      status: 500,
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
  }
  return told
}

/** Waits until the client has read enough, or has left. */
function drained(stream: AnswerStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    stream.once('drain', done)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}
