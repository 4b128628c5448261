import { readFileSync } from 'node:fs'
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js'

export type GetCall = ServerWritableStream<Buffer, Buffer>
export type PutCall = ServerDuplexStream<Buffer, Buffer>

/** What a server of the tests does; what is not given is UNIMPLEMENTED. Requests and answers are bytes as on the wire. */
export interface FlightHandlers {
  doGet?(call: GetCall): void | Promise<void>
  doAction?(call: GetCall): void | Promise<void>
  doPut?(call: PutCall): void | Promise<void>
}

export interface FlightServer extends AsyncDisposable {
  readonly port: number
  readonly uri: string
  readonly server: Server
  /** Lets nothing more in and waits for what runs. */
  stop(): Promise<void>
  /** Drops everything. */
  kill(): void
}

export interface FlightServerOptions {
  readonly port?: number
  readonly credentials?: ServerCredentials
}

const SERVICE = '/arrow.flight.protocol.FlightService'
const same = (bytes: Buffer): Buffer => bytes

function method(name: string, requestStream: boolean) {
  return {
    path: `${SERVICE}/${name}`,
    requestStream,
    responseStream: true as const,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  }
}

/** A gRPC server on loopback that speaks Flight by what the test gives it. */
export async function startFlightServer(
  handlers: FlightHandlers,
  options: FlightServerOptions = {},
): Promise<FlightServer> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 })
  const guard = <C extends GetCall | PutCall>(handle: ((call: C) => void | Promise<void>) | undefined) => {
    return async (call: C): Promise<void> => {
      try {
        if (handle === undefined) throw failure(status.UNIMPLEMENTED, 'not in this test')
        await handle(call)
      } catch (error) {
        call.emit('error', error)
      }
    }
  }
  server.addService(
    { DoGet: method('DoGet', false), DoAction: method('DoAction', false), DoPut: method('DoPut', true) },
    { DoGet: guard(handlers.doGet), DoAction: guard(handlers.doAction), DoPut: guard(handlers.doPut) },
  )
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `127.0.0.1:${options.port ?? 0}`,
      options.credentials ?? ServerCredentials.createInsecure(),
      (error, bound) => (error === null ? resolve(bound) : reject(error)),
    )
  })
  const stop = (): Promise<void> => new Promise((resolve) => server.tryShutdown(() => resolve()))
  const kill = (): void => server.forceShutdown()
  return {
    port,
    uri: `grpc://127.0.0.1:${port}`,
    server,
    stop,
    kill,
    [Symbol.asyncDispose]: () => Promise.resolve(kill()),
  }
}

/** The error that ends a call with a status. */
export function failure(code: status, details: string): Error {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() })
}

/** Writes an answer, waiting where the client reads slowly. */
export async function answer(call: GetCall, messages: Iterable<Buffer>): Promise<void> {
  for (const message of messages) {
    if (!call.write(message) && !call.cancelled) {
      await new Promise<void>((resolve) => {
        call.once('drain', resolve)
        call.once('cancelled', resolve)
      })
    }
    if (call.cancelled) return
  }
  call.end()
}

/** One recorded call of a real server: `test/fixtures/golden/README.md`. */
export interface GoldenCall {
  readonly name: string
  readonly rpc: 'DoGet' | 'DoAction'
  readonly sql: string
  readonly metadata: Readonly<Record<string, string>>
  readonly request: string
  readonly messages: readonly string[]
  readonly status: string
  readonly details: string
}

export const goldenCalls: readonly GoldenCall[] = JSON.parse(
  readFileSync(new URL('../../fixtures/golden/flight.json', import.meta.url), 'utf8'),
)

export function goldenCall(name: string): GoldenCall {
  const found = goldenCalls.find((call) => call.name === name)
  if (found === undefined) throw new Error(`no golden call ${name}`)
  return found
}

/** A server that gives the recorded answers to the recorded requests, and refuses every other byte. */
export function startReplayServer(
  calls: readonly GoldenCall[] = goldenCalls,
  options: FlightServerOptions = {},
): Promise<FlightServer> {
  const replay = (rpc: string) => async (call: GetCall) => {
    const request = call.request.toString('base64')
    const metadata = call.metadata.getMap()
    const found = calls.find(
      (candidate) =>
        candidate.rpc === rpc &&
        candidate.request === request &&
        ['query_range_begin', 'query_range_end', 'limit', 'preserve_dictionary', 'x-client-type'].every(
          (name) => metadata[name] === candidate.metadata[name],
        ),
    )
    if (found === undefined)
      throw failure(
        status.NOT_FOUND,
        `no recorded call has these bytes and metadata: ${JSON.stringify(metadata)}`,
      )
    if (found.status === 'OK')
      return answer(
        call,
        found.messages.map((message) => Buffer.from(message, 'base64')),
      )
    for (const message of found.messages) call.write(Buffer.from(message, 'base64'))
    throw failure(status[found.status as keyof typeof status], found.details)
  }
  return startFlightServer({ doGet: replay('DoGet'), doAction: replay('DoAction') }, options)
}
