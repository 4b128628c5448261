import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { recordServerRequests } from '../../src/interop/http/server.ts'
import {
  instrumentClients,
  instrumentServer,
  setRoute,
  traceFetchHandler,
  traceHandler,
} from '../../src/interop/http.ts'
import { pairAsyncSpans } from '../../src/telemetry/decode/async-spans.ts'
import { currentSpan } from '../../src/tracing/spans/open-span.ts'
import { asyncSpan } from '../../src/tracing/spans/span.ts'
import { type Recording, startRecording } from '../tracing/support/recording.ts'

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function request(url: string, headers: Record<string, string> = {}): Promise<number> {
  const [response] = (await once(get(url, { headers, agent: false }), 'response')) as [IncomingMessage]
  await response.resume().toArray()
  return response.statusCode!
}

async function close(server: Server): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}

function serverSpans(recording: Recording) {
  return pairAsyncSpans(recording.asyncEvents())
    .spans.filter(({ properties }) => properties['span.kind'] === 'SERVER')
    .map(({ name, properties, depth }) => ({
      name,
      depth,
      status: properties['http.response.status_code'],
      route: properties['http.route'],
      path: properties['url.path'],
      trace: properties.trace_id,
    }))
}

function durations(recording: Recording) {
  return recording
    .measures()
    .filter(({ name }) => name === 'http.server.request.duration')
    .map(({ properties }) => properties)
}

const answer: RequestListener = (incoming, response) => {
  void asyncSpan('work', async () => {}).then(() => {
    response.statusCode = incoming.url === '/fails' ? 503 : 200
    response.end('hello')
  })
}
const routed: RequestListener = (incoming, response) => {
  setRoute('/users/:id')
  answer(incoming, response)
}
const TRACE = '0af7651916cd43dd8448eb211c80319c'

describe('a server of node:http', () => {
  test.each([
    ['instrumented', (handler: RequestListener) => instrumentServer(createServer(handler))],
    [
      'instrumented before its handler',
      (handler: RequestListener) => instrumentServer(createServer()).on('request', handler),
    ],
    ['whose handler is traced', (handler: RequestListener) => createServer(traceHandler(handler))],
  ])('%s: a span around the handler, and the metric', async (_, make) => {
    await using recording = startRecording()
    const server = make(routed)
    const url = await listen(server)
    expect(await request(`${url}/users/7?secret=1`, { traceparent: `00-${TRACE}-b7ad6b7169203331-01` })).toBe(
      200,
    )
    expect(await request(`${url}/fails`)).toBe(503)
    await close(server)
    const route = '/users/:id'
    expect(serverSpans(recording)).toEqual([
      { name: 'GET /users/:id', depth: 0, status: '200', route, path: '/users/7', trace: TRACE },
      { name: 'GET /users/:id', depth: 0, status: '503', route, path: '/fails', trace: undefined },
    ])
    expect(durations(recording)).toEqual([
      { 'http.request.method': 'GET', 'http.route': route, 'http.response.status_code': '200' },
      {
        'http.request.method': 'GET',
        'http.route': route,
        'http.response.status_code': '503',
        'error.type': '503',
      },
    ])
    const { spans } = pairAsyncSpans(recording.asyncEvents())
    expect(spans.filter(({ name }) => name === 'work').map(({ depth }) => depth)).toEqual([1, 1])
  })

  test('that the flag records too is recorded once', async () => {
    await using recording = startRecording()
    const stop = recordServerRequests()
    const server = instrumentServer(createServer(traceHandler(routed)))
    const url = await listen(server)
    await request(url)
    await close(server)
    stop()
    expect(serverSpans(recording)).toHaveLength(1)
    expect(durations(recording)).toHaveLength(1)
  })

  test('a handler that throws throws, and a client that leaves ends the span', async () => {
    await using recording = startRecording()
    const error = new Error('no')
    const thrower = traceHandler(() => {
      throw error
    })
    const server = createServer((incoming, response) => {
      if (incoming.url === '/leaves') return traceHandler(() => incoming.destroy())(incoming, response)
      expect(() => thrower(incoming, response)).toThrow(error)
      response.statusCode = 500
      response.end()
    })
    const url = await listen(server)
    expect(await request(`${url}/throws`)).toBe(500)
    await expect(request(`${url}/leaves`)).rejects.toThrow()
    await close(server)
    expect(serverSpans(recording).map(({ status }) => status)).toEqual(['500', undefined])
  })

  test('without spans a request is answered all the same', async () => {
    await using recording = startRecording({ cpuTracing: false })
    const server = instrumentServer(createServer(traceHandler(routed)))
    const url = await listen(server)
    expect(await request(url)).toBe(200)
    await close(server)
    expect(recording.measures()).toEqual([])
  })
})

describe('a handler of fetch requests', () => {
  const handler = traceFetchHandler(
    async (incoming: Request) => {
      await asyncSpan('work', async () => {})
      if (incoming.url.endsWith('/throws')) throw new TypeError('no')
      return new Response('hello', { status: incoming.url.endsWith('/fails') ? 502 : 200 })
    },
    { route: (incoming) => (incoming.url.includes('/users/') ? '/users/:id' : undefined) },
  )

  test('is recorded with its route, status and failure', async () => {
    await using recording = startRecording()
    const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` }
    expect((await handler(new Request('http://shop/users/7?secret=1', { headers }))).status).toBe(200)
    expect((await handler(new Request('http://shop/fails', { method: 'POST' }))).status).toBe(502)
    await expect(handler(new Request('http://shop/throws'))).rejects.toThrow('no')
    expect(serverSpans(recording)).toEqual([
      {
        name: 'GET /users/:id',
        depth: 0,
        status: '200',
        route: '/users/:id',
        path: '/users/7',
        trace: TRACE,
      },
      { name: 'POST', depth: 0, status: '502', route: undefined, path: '/fails', trace: undefined },
      { name: 'GET', depth: 0, status: undefined, route: undefined, path: '/throws', trace: undefined },
    ])
    expect(durations(recording).map((properties) => properties['error.type'])).toEqual([
      undefined,
      '502',
      'exception',
    ])
  })

  test('tells the route to the server it runs in, and has no span of its own there', async () => {
    await using recording = startRecording()
    const server = instrumentServer(
      createServer((incoming, response) => {
        void handler(new Request(`http://shop${incoming.url}`)).then(async (result) => {
          response.writeHead(result.status).end(await result.text())
        })
      }),
    )
    const url = await listen(server)
    await request(`${url}/users/7`)
    await close(server)
    expect(serverSpans(recording)).toMatchObject([{ name: 'GET /users/:id', route: '/users/:id' }])
    expect(durations(recording)).toHaveLength(1)
  })

  test('a route that cannot be told costs nothing else', async () => {
    await using recording = startRecording()
    const hostile = traceFetchHandler(() => new Response(), {
      route: () => {
        throw new Error('no')
      },
    })
    expect((await hostile(new Request('http://shop/'))).status).toBe(200)
    expect(serverSpans(recording)).toMatchObject([{ name: 'GET' }])
  })
})

test('clients are recorded until that is ended, and their span is the parent of the server’s', async () => {
  await using recording = startRecording()
  const stop = instrumentClients()
  const server = instrumentServer(createServer(routed))
  const url = await listen(server)
  await asyncSpan('caller', async () => {
    await request(url)
    expect(currentSpan()?.name).toBe('caller')
  })
  stop()
  await request(url)
  await close(server)
  const { spans } = pairAsyncSpans(recording.asyncEvents())
  const depths = Object.fromEntries(
    spans.map(({ name, depth, properties }) => [`${name} ${properties['span.kind']}`, depth]),
  )
  expect(depths['GET 127.0.0.1 CLIENT']).toBe(1)
  expect(serverSpans(recording).map(({ depth }) => depth)).toEqual([2, 0])
})

test('a route that is told outside of requests does nothing', async () => {
  await using recording = startRecording()
  setRoute('/nowhere')
  await asyncSpan('work', async () => setRoute('/nowhere'))
  expect(recording.asyncEvents().every(({ name }) => name === 'work')).toBe(true)
})
