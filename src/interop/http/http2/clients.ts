import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
} from 'node:http2'
import { builtin } from '../../../model/runtime/builtins.ts'
import type { LateSpan } from '../../../tracing/spans/open-span.ts'
import { harmless } from '../../patching/harmless.ts'
import { wrapMethod } from '../../patching/wrap-method.ts'
import { endCalled, hostOf, isPassedOver } from '../client-span.ts'
import { beginCall } from '../requests.ts'
import { TRACEPARENT, traceHeadersOf } from '../trace-parent.ts'
import { whenHttp2IsLoaded } from './module.ts'

/** Kept on the prototype, so that the ESM and the CommonJS build of this package change it once together. */
const WRAPPED = Symbol.for('micromegas.http2.client')

/** As an object, or from Node 24 on as an array of names and values in turn. */
type GivenHeaders = OutgoingHttpHeaders | readonly string[]
type Request = (this: ClientHttp2Session, headers?: GivenHeaders, ...rest: unknown[]) => ClientHttp2Stream

/**
 * Records each request that the process makes by a session of `node:http2`; libraries of gRPC do.
 *
 * @returns Ends it.
 */
export function recordHttp2Clients(): () => void {
  return whenHttp2IsLoaded(({ connect }) => {
    // The class is not exported: a session that leads nowhere is one of it.
    const { Duplex } = builtin('node:stream')
    const session = connect('http://localhost', {
      createConnection: () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }),
    })
    session.on('error', () => {})
    session.destroy()
    return wrapRequest(Object.getPrototypeOf(session))
  })
}

function wrapRequest(prototype: { request: Request }): () => void {
  return wrapMethod(
    prototype,
    'request',
    (original, isOn) =>
      function request(
        this: ClientHttp2Session,
        headers?: GivenHeaders,
        ...rest: unknown[]
      ): ClientHttp2Stream {
        if (!isOn() || isPassedOver()) return original.call(this, headers, ...rest)
        let call: Call | undefined
        harmless(() => {
          call = begin(this, headers ?? {})
        })()
        if (call === undefined) return original.call(this, headers, ...rest)
        try {
          const stream = original.call(this, call.headers, ...rest)
          follow(call, stream)
          return stream
        } catch (error) {
          harmless(end)(call, undefined, error)
          throw error
        }
      },
    WRAPPED,
  )
}

/** A request that was begun. */
interface Call {
  readonly span: LateSpan
  readonly method: string
  readonly address: string
  readonly path: string
  /** With the trace. */
  readonly headers: GivenHeaders
}

function begin(session: ClientHttp2Session, given: GivenHeaders): Call {
  const headers = isList(given) ? pairsOf(given) : given
  const method = String(headers[':method'] ?? 'GET')
  const address = hostOf(`http://${headers[':authority'] ?? headers.host ?? authorityOf(session)}`)
  const span = beginCall(method, address)
  const path = String(headers[':path'] ?? '/')
  if (Object.keys(headers).some((name) => name.toLowerCase() === TRACEPARENT)) {
    return { span, method, address, path, headers: given }
  }
  const trace = traceHeadersOf(span)
  const sent = isList(given) ? [...given, ...trace.flat()] : { ...given, ...Object.fromEntries(trace) }
  return { span, method, address, path, headers: sent }
}

const follow = harmless((call: Call, stream: ClientHttp2Stream) => {
  const { errorMonitor } = builtin('node:events')
  let status: number | undefined
  let failure: unknown
  stream.prependOnceListener('response', (headers: IncomingHttpHeaders & { ':status'?: number }) => {
    status = headers[':status']
  })
  stream.once(errorMonitor, (error: unknown) => {
    failure = error
  })
  stream.once(
    'close',
    harmless(() => end(call, status, failure)),
  )
})

function end({ span, method, address, path }: Call, status: number | undefined, error: unknown): void {
  endCalled(span, { method, address, path, status, error })
}

function isList(headers: GivenHeaders): headers is readonly string[] {
  return Array.isArray(headers)
}

function pairsOf(list: readonly string[]): OutgoingHttpHeaders {
  const pairs: OutgoingHttpHeaders = {}
  for (let i = 0; i + 1 < list.length; i += 2) pairs[list[i]!.toLowerCase()] = list[i + 1]!
  return pairs
}

/** What the session was connected to; Node keeps it where only its description finds it. */
function authorityOf(session: ClientHttp2Session): unknown {
  const key = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'authority')
  return key === undefined ? '' : (session as unknown as Record<symbol, unknown>)[key]
}
