import type { AuthProvider } from '../../auth/auth-provider.ts'
import { waitFor } from '../../http/wait-for.ts'
import { AuthenticationError, QueryError } from '../query-error.ts'
import { type CallSubject, callError } from './call-error.ts'
import { CallScope } from './call-scope.ts'
import type { Connection } from './connection.ts'
import { type Channel, Metadata, status } from './grpc-js.ts'
import { Inbox } from './inbox.ts'

/** One call, as far as it differs from others. */
export interface CallOptions {
  /** For messages: completes "Cannot …". */
  readonly what: string
  readonly metadata: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
}

type Method = 'DoGet' | 'DoAction' | 'DoPut'

const SERVICE = '/arrow.flight.protocol.FlightService/'
/** The server hears of the time limit as well; ours comes first, with words of its own. */
const DEADLINE_GRACE_MS = 1_000

/** Calls of a Flight server: credentials, metadata, limits and failures, but not what the messages mean. */
export class FlightCalls {
  readonly #connection: Connection
  readonly #label: string
  readonly #auth: AuthProvider | undefined
  /** Ends all calls when the client is closed. */
  readonly #closed: AbortSignal

  constructor(connection: Connection, label: string, auth: AuthProvider | undefined, closed: AbortSignal) {
    this.#connection = connection
    this.#label = label
    this.#auth = auth
    this.#closed = closed
  }

  /**
   * Sends requests and yields the answers as they come. The call begins with the first step of the iteration, and is
   * cancelled when the iteration is left early.
   *
   * @throws {@link QueryError}; what `getToken` throws; the reason of the signal.
   */
  async *call(
    method: Method,
    requests: Iterable<Buffer> | AsyncIterable<Buffer>,
    options: CallOptions,
  ): AsyncGenerator<Buffer, void, undefined> {
    const scope = new CallScope([options.signal, this.#closed], options.timeoutMs, () => this.#late(options))
    try {
      scope.signal.throwIfAborted()
      const metadata = await this.#metadata(options, scope.signal)
      const lease = await this.#connection.lease(scope.signal)
      try {
        yield* this.#exchange(lease.channel, method, metadata, requests, options, scope.signal)
      } finally {
        lease.release()
      }
    } finally {
      scope.dispose()
    }
  }

  async *#exchange(
    channel: Channel,
    method: Method,
    metadata: Metadata,
    requests: Iterable<Buffer> | AsyncIterable<Buffer>,
    options: CallOptions,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer, void, undefined> {
    const deadline =
      options.timeoutMs === undefined
        ? Number.POSITIVE_INFINITY
        : new Date(Date.now() + options.timeoutMs + DEADLINE_GRACE_MS)
    const call = channel.createCall(SERVICE + method, deadline, null, null, null)
    const inbox = new Inbox(() => call.startRead())
    const ended = new AbortController()
    const abort = (): void => {
      inbox.fail(signal.reason)
      ended.abort()
    }
    signal.addEventListener('abort', abort, { once: true })
    try {
      call.start(metadata, {
        onReceiveMetadata() {},
        onReceiveMessage: (message: Buffer) => inbox.push(message),
        onReceiveStatus: (end) => {
          ended.abort()
          inbox.finish(end)
        },
      })
      inbox.start()
      // Ends with the call. A failure of the caller's own data ends the call.
      send(call, requests, ended.signal).catch((error: unknown) => inbox.fail(error))
      for (;;) {
        const arrival = await inbox.next()
        if ('message' in arrival) yield arrival.message
        // The error is made here, where its stack leads to the caller.
        else if (arrival.end.code !== status.OK) throw callError(arrival.end, this.#subject(options))
        else return
      }
    } finally {
      signal.removeEventListener('abort', abort)
      if (!ended.signal.aborted || signal.aborted)
        call.cancelWithStatus(status.CANCELLED, 'cancelled by the client')
    }
  }

  async #metadata(options: CallOptions, signal: AbortSignal): Promise<Metadata> {
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(options.metadata)) metadata.set(name, value)
    if (this.#auth === undefined) return metadata
    const token = await waitFor(Promise.resolve(this.#auth.getToken({ signal })), signal)
    // Checked here since gRPC's own message repeats the value.
    if (typeof token !== 'string' || !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(token)) {
      throw new AuthenticationError(
        'UNAUTHENTICATED',
        `Cannot ${options.what}: the auth provider gave no token that can be sent`,
      )
    }
    metadata.set('authorization', `Bearer ${token}`)
    return metadata
  }

  #subject({ what }: CallOptions): CallSubject {
    const credentialsSent = this.#auth !== undefined
    return { what, label: this.#label, route: this.#connection.label, credentialsSent }
  }

  #late(options: CallOptions): QueryError {
    return new QueryError(
      'DEADLINE_EXCEEDED',
      `Cannot ${options.what}: no complete answer from ${this.#label} within ${options.timeoutMs} ms`,
    )
  }
}

type Call = ReturnType<Channel['createCall']>

async function send(
  call: Call,
  requests: Iterable<Buffer> | AsyncIterable<Buffer>,
  ended: AbortSignal,
): Promise<void> {
  const end = new Promise<void>((resolve) => ended.addEventListener('abort', () => resolve(), { once: true }))
  for await (const request of requests) {
    if (ended.aborted) return
    const written = new Promise<void>((resolve) => {
      call.sendMessageWithContext({ callback: () => resolve() }, request)
    })
    await Promise.race([written, end]) // gRPC forgets the callback when the call ends before
  }
  if (!ended.aborted) call.halfClose()
}
