import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  constants,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { request as requestHttp1 } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { recordClientRequests } from '../../src/interop/http/client.ts'
import { recordServerRequests } from '../../src/interop/http/server.ts'
import { instrumentServer, setRoute } from '../../src/interop/http.ts'
import { runOwnWork } from '../../src/model/runtime/own-work.ts'
import { pairAsyncSpans } from '../../src/telemetry/decode/async-spans.ts'
import { currentSpan } from '../../src/tracing/spans/open-span.ts'
import { asyncSpan } from '../../src/tracing/spans/span.ts'
import { selfSigned } from '../support/certificate.ts'
import { type Recording, startRecording } from '../tracing/support/recording.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function record(): Recording {
  const recording = startRecording()
  cleanups.push(() => recording.stop(), recordServerRequests(), recordClientRequests())
  return recording
}

async function listen(server: Http2Server | Http2SecureServer, scheme = 'http'): Promise<ClientHttp2Session> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(`${scheme}://localhost:${(server.address() as AddressInfo).port}`, {
    rejectUnauthorized: false,
  })
  cleanups.push(async () => {
    session.destroy()
    server.close()
    await once(server, 'close')
  })
  return session
}

async function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string,
): Promise<number> {
  const stream = session.request(headers)
  const answered = once(stream, 'response')
  const closed = once(stream, 'close')
  stream.resume().end(body)
  const [{ ':status': status }] = (await answered) as [{ ':status': number }]
  await closed
  return status
}

function spansOf(recording: Recording) {
  return pairAsyncSpans(recording.asyncEvents()).spans
}

function served(recording: Recording) {
  return spansOf(recording)
    .filter(({ properties }) => properties['span.kind'] === 'SERVER')
    .map(({ name, properties }) => ({
      name,
      path: properties['url.path'],
      status: properties['http.response.status_code'],
      error: properties['error.type'],
    }))
}

describe('a server of HTTP/2', () => {
  test('has its streams recorded, with route, sizes and what runs below', async () => {
    const recording = record()
    const server = createServer()
    server.on('stream', (stream, { ':path': path }) => {
      void asyncSpan('work', async () => {}).then(() => {
        if (path === '/users/1?secret=1') setRoute('/users/:id')
        stream.respond({ ':status': path === '/fails' ? 503 : 200, 'content-length': 2 })
        stream.end('ok')
      })
    })
    const session = await listen(server)
    expect(await ask(session, { ':path': '/users/1?secret=1' })).toBe(200)
    expect(await ask(session, { ':path': '/fails', ':method': 'POST', 'content-length': 3 }, 'abc')).toBe(503)
    expect(served(recording)).toEqual([
      { name: 'GET /users/:id', path: '/users/1', status: '200', error: undefined },
      { name: 'POST', path: '/fails', status: '503', error: '503' },
    ])
    const spans = spansOf(recording)
    const answers = spans.filter(({ properties }) => properties['span.kind'] === 'SERVER')
    expect(answers[1]?.properties).toMatchObject({
      'http.request.body.size': '3',
      'http.response.body.size': '2',
    })
    const works = spans.filter(({ name }) => name === 'work')
    expect(works.map(({ parent }) => parent)).toEqual(answers.map(({ id }) => id))
    const durations = recording.measures().filter(({ name }) => name === 'http.server.request.duration')
    expect(durations.map(({ properties }) => properties['http.route'])).toEqual(['/users/:id', undefined])
  })

  test('has requests of the compatibility API recorded once, also where it is instrumented by hand', async () => {
    const recording = record()
    const server = instrumentServer(
      createServer((request, response) => {
        Object.assign(request, { route: { path: '/items/:id' }, baseUrl: '' }) // as a framework does
        currentSpan()?.set({ seen: 'yes' })
        response.end('ok')
      }),
    )
    const session = await listen(server)
    await ask(session, { ':path': '/items/7' })
    expect(served(recording)).toEqual([
      { name: 'GET /items/:id', path: '/items/7', status: '200', error: undefined },
    ])
    expect(spansOf(recording)[1]?.properties.seen).toBe('yes')
  })

  test('over TLS takes HTTP/1 as well: each request is recorded once', async () => {
    const recording = record()
    const { key, cert } = selfSigned('localhost')
    const server = createSecureServer({ key, cert, allowHTTP1: true }, (_request, response) => {
      response.end('ok')
    })
    const session = await listen(server, 'https')
    await ask(session, { ':path': '/two' })
    const { port } = server.address() as AddressInfo
    const request = requestHttp1({ host: '127.0.0.1', port, path: '/one', rejectUnauthorized: false })
    const closed = once(request, 'close')
    request.end()
    const [response] = await once(request, 'response')
    await response.resume().toArray()
    await closed
    expect(served(recording).map(({ path, status }) => [path, status])).toEqual([
      ['/two', '200'],
      ['/one', '200'],
    ])
  })

  test('tells a request that its client gave up', async () => {
    const recording = record()
    const server = createServer()
    const begun = once(server, 'stream')
    const session = await listen(server)
    const stream = session.request({ ':path': '/slow' })
    stream.on('error', () => {})
    const [answering] = await begun
    const closed = once(answering, 'close')
    stream.close(constants.NGHTTP2_CANCEL)
    await closed
    expect(served(recording)).toEqual([{ name: 'GET', path: '/slow', status: undefined, error: 'aborted' }])
  })
})

describe('a client of HTTP/2', () => {
  test('has its requests recorded below their caller, and tells its callee the trace', async () => {
    const recording = record()
    const server = createServer((_request, response) => void response.writeHead(404).end())
    const session = await listen(server)
    await asyncSpan('caller', () => ask(session, { ':path': '/there?x=1' }))
    const spans = spansOf(recording)
    const byKind = (kind: string) => spans.find(({ properties }) => properties['span.kind'] === kind)
    const client = byKind('CLIENT')
    expect(client).toMatchObject({
      name: 'GET localhost',
      parent: spans.find(({ name }) => name === 'caller')?.id,
      properties: {
        'url.path': '/there',
        'server.address': 'localhost',
        'http.response.status_code': '404',
        'error.type': '404',
      },
    })
    expect(byKind('SERVER')?.parent).toBe(client?.id)
  })

  test('keeps the headers that it was given, a trace among them', async () => {
    record()
    const server = createServer()
    const seen: unknown[] = []
    server.on('stream', (stream, headers) => {
      seen.push([headers.traceparent, headers['x-mine']])
      stream.respond()
      stream.end()
    })
    const session = await listen(server)
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const headers = { ':path': '/', TraceParent: traceparent, 'x-mine': '1' }
    await ask(session, headers)
    expect(headers).toEqual({ ':path': '/', TraceParent: traceparent, 'x-mine': '1' })
    await ask(session, {})
    expect(seen).toEqual([
      [traceparent, '1'],
      [expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/), undefined],
    ])
  })

  test('that fails says why, and what is refused at once throws as ever', async () => {
    const recording = record()
    const server = createServer()
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    })
    const session = await listen(server)
    const stream = session.request({ ':path': '/broken' })
    await expect(once(stream, 'response')).rejects.toMatchObject({ code: 'ERR_HTTP2_STREAM_ERROR' })
    if (!stream.closed) await once(stream, 'close')
    expect(() => session.request({ ':bogus': 'x' })).toThrow(
      expect.objectContaining({ code: 'ERR_HTTP2_INVALID_PSEUDOHEADER' }),
    )
    const clients = spansOf(recording).filter(({ properties }) => properties['span.kind'] === 'CLIENT')
    expect(clients.map(({ properties }) => properties['error.type'])).toEqual([
      'ERR_HTTP2_STREAM_ERROR',
      'ERR_HTTP2_INVALID_PSEUDOHEADER',
    ])
  })

  test('that works for the package itself leaves nothing behind', async () => {
    const recording = record()
    const server = createServer((_request, response) => void response.end())
    const session = await listen(server)
    await runOwnWork(() => ask(session, {}))
    expect(spansOf(recording).filter(({ properties }) => properties['span.kind'] === 'CLIENT')).toEqual([])
  })
})
