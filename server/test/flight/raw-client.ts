import type { Readable } from 'node:stream'
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'

export interface RawAnswer {
  readonly messages: readonly Buffer[]
  readonly status: string
  readonly details: string
}

/** Calls a Flight service with bytes as they are. */
export class RawClient implements Disposable {
  readonly #client: Client

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
    })
  }

  stream(
    rpc: string,
    request: Uint8Array,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<RawAnswer> {
    const call = this.#client.makeServerStreamRequest(
      `/arrow.flight.protocol.FlightService/${rpc}`,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      Buffer.from(request),
      metadataOf(metadata),
    )
    return collect(call)
  }

  /** Sends messages by a DoPut. */
  put(requests: readonly Uint8Array[], metadata: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    const call = this.#client.makeBidiStreamRequest(
      '/arrow.flight.protocol.FlightService/DoPut',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      metadataOf(metadata),
    )
    const answer = collect(call)
    for (const request of requests) call.write(Buffer.from(request))
    call.end()
    return answer
  }

  unary(
    path: string,
    request: Uint8Array,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<RawAnswer> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        Buffer.from(request),
        metadataOf(metadata),
        (error, answer) =>
          resolve(
            error === null
              ? { messages: [answer as Buffer], status: 'OK', details: '' }
              : { messages: [], status: status[error.code]!, details: error.details },
          ),
      )
    })
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }
}

function collect(call: Readable): Promise<RawAnswer> {
  const messages: Buffer[] = []
  return new Promise((resolve) => {
    call.on('data', (message: Buffer) => messages.push(message))
    call.on('error', (error: ServiceError) =>
      resolve({ messages, status: status[error.code]!, details: error.details }),
    )
    call.on('end', () => resolve({ messages, status: 'OK', details: '' }))
  })
}

function metadataOf(entries: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value)
  return metadata
}
