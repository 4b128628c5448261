import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Client, fetch as undiciFetch } from 'undici'
import { afterEach, expect, test } from 'vitest'
import { OidcClientCredentialsDecorator } from '../../src/auth/oidc/oidc-client-credentials-decorator.ts'
import { withoutTracing } from '../../src/http/clients/suppress-tracing.ts'
import { issues, TokenServer } from '../auth/support/token-server.ts'
import { type Service, startService } from '../sink/support/service.ts'
import { SinkUnderTest } from '../sink/support/sink.ts'

const CHANNELS = [
  'undici:client:beforeConnect',
  'undici:client:connected',
  'undici:client:connectError',
  'undici:client:sendHeaders',
  'undici:request:create',
  'undici:request:bodySent',
  'undici:request:headers',
  'undici:request:trailers',
  'undici:request:error',
  'undici:proxy:connected',
  'http.client.request.created',
  'http.client.request.start',
  'http.client.request.error',
  'http.client.response.finish',
  'net.client.socket',
]

const releases: (() => void)[] = []
afterEach(() => {
  for (const release of releases.splice(0)) release()
})

/** Listens to everything that HTTP clients tell, and keeps the names of what was told. */
function listen(names: readonly string[] = CHANNELS): string[] {
  const heard: string[] = []
  for (const name of names) {
    const listener = (): void => void heard.push(name)
    subscribe(name, listener)
    releases.push(() => unsubscribe(name, listener))
  }
  return heard
}

async function getByHttp(service: Service): Promise<void> {
  const request = httpRequest(service.url, { method: 'POST', agent: false }).end('{}')
  const [response] = await once(request, 'response')
  await once(response.resume(), 'end')
}

async function getByFetch(service: Service): Promise<void> {
  const response = await fetch(service.url, { method: 'POST', body: '{}' })
  await response.arrayBuffer()
}

test('who listens to the channels of HTTP clients hears nothing of uploads', async () => {
  await using service = await startService()
  const heard = listen()
  await using under = new SinkUnderTest(service.url)
  for (let i = 0; i < 5; i++) under.push()
  const report = await under.sink.flush()
  expect(report.delivered.blocks).toBe(5)
  expect(service.requests.length).toBeGreaterThan(5)
  expect(heard).toEqual([])
})

test('nor of uploads that fail: refused, reset, given up', async () => {
  const heard = listen()
  const gone = await startService()
  const { url } = gone
  await gone[Symbol.asyncDispose]()
  await using refused = new SinkUnderTest(url)
  await using resetting = await startService((_, response) => {
    response.socket?.destroy()
    return undefined
  })
  await using reset = new SinkUnderTest(resetting.url)
  await using silent = await startService(() => undefined)
  await using given = new SinkUnderTest(silent.url, { requestTimeoutMs: 1_000 })
  for (const under of [refused, reset, given]) {
    under.push()
    await expect.poll(() => under.sink.stats().attempts, { timeout: 10_000 }).toBeGreaterThan(0)
    await under.sink.shutdown({ timeoutMs: 50 })
  }
  expect(heard).toEqual([])
})

test('nor of uploads through a proxy, and of the token requests for them', async () => {
  await using service = await startService()
  await using tokens = await TokenServer.start(issues(3600))
  const proxied: string[] = []
  const proxy = createServer((request, response) => {
    proxied.push(request.method!)
    const { pathname } = new URL(request.url!)
    const { method, headers } = request
    const options = { host: '127.0.0.1', port: service.port, path: pathname, method, headers }
    const forwarded = httpRequest(options, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    request.pipe(forwarded)
  }).on('connect', (request, socket) => {
    proxied.push(request.method!)
    const upstream = connect(service.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const end of [socket, upstream]) end.on('error', () => {})
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  process.env.HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  // The proxy of this test makes requests, too, which are not the package's.
  const ofProxy = /^net\.|^http\./
  const heard = listen(CHANNELS.filter((name) => !ofProxy.test(name)))
  try {
    await using under = new SinkUnderTest(
      'http://service.invalid',
      {},
      () =>
        new OidcClientCredentialsDecorator({
          tokenEndpoint: tokens.tokenEndpoint,
          clientId: 'shop',
          clientSecret: 'a-secret',
        }),
    )
    under.push()
    const report = await under.sink.flush()
    expect(report.delivered.blocks).toBe(1)
  } finally {
    delete process.env.HTTP_PROXY
    proxy.close()
    proxy.closeAllConnections()
  }
  expect(proxied.length).toBeGreaterThan(0)
  expect(tokens.requests).toHaveLength(1)
  expect(heard).toEqual([])
})

test.each([
  ['fetch of Node', getByFetch],
  ['the http client of Node', getByHttp],
  [
    'undici',
    async (service: Service) => {
      await (await undiciFetch(service.url, { method: 'POST', body: '{}' })).arrayBuffer()
    },
  ],
])('requests of the package by %s are hidden, those of the host are heard whole', async (_, send) => {
  await using service = await startService()
  const heard = listen()
  await send(service)
  const ofHost = heard.splice(0)
  expect(ofHost.length).toBeGreaterThan(2)
  await withoutTracing(() => send(service))
  expect(heard).toEqual([])
  await send(service)
  // Connections that are kept open are not opened again.
  const isConnection = (name: string): boolean => /connect|socket/i.test(name)
  expect(heard.filter((name) => !isConnection(name))).toEqual(ofHost.filter((name) => !isConnection(name)))
})

test('requests of the host and of the package over one connection are told apart', async () => {
  await using service = await startService()
  const heard = listen()
  const client = new Client(service.url, { pipelining: 1 })
  const post = async (): Promise<void> => {
    const { body } = await client.request({ path: '/', method: 'POST', body: '{}' })
    await body.dump()
  }
  await withoutTracing(post) // opens the connection
  await Promise.all([post(), withoutTracing(post), post(), withoutTracing(post)])
  await client.destroy()
  const counts = new Map<string, number>()
  for (const name of heard) counts.set(name, (counts.get(name) ?? 0) + 1)
  expect(Object.fromEntries(counts)).toEqual({
    'undici:request:create': 2,
    'undici:client:sendHeaders': 2,
    'undici:request:bodySent': 2,
    'undici:request:headers': 2,
    'undici:request:trailers': 2,
  })
})

test('listeners that come later, go and come again hear nothing of the package’s requests', async () => {
  await using service = await startService()
  await withoutTracing(() => getByFetch(service))
  for (let i = 0; i < 2; i++) {
    const heard = listen()
    await withoutTracing(() => getByFetch(service))
    expect(heard).toEqual([])
    await getByFetch(service)
    expect(heard).toContain('undici:request:trailers')
    for (const release of releases.splice(0)) release()
  }
})

test('a channel whose method somebody has replaced keeps that', async () => {
  await using service = await startService()
  const heard = listen(['undici:request:create'])
  const replaced = channel('undici:request:create')
  const messages: unknown[] = []
  const before = Object.getOwnPropertyDescriptor(replaced, 'publish')
  const publish = replaced.publish
  Object.defineProperty(replaced, 'publish', {
    configurable: true,
    value(message: unknown, name: string | symbol) {
      messages.push(message)
      Reflect.apply(publish, this, [message, name])
    },
  })
  try {
    await withoutTracing(() => getByFetch(service))
    expect(messages).toHaveLength(0)
    await getByFetch(service)
    expect(messages).toHaveLength(1)
    expect(heard).toEqual(['undici:request:create'])
  } finally {
    if (before === undefined) delete (replaced as { publish?: unknown }).publish
    else Object.defineProperty(replaced, 'publish', before)
  }
})

test('where nobody listens nothing is touched', async () => {
  const { execFileSync } = await import('node:child_process')
  const program = `
    import { channel } from 'node:diagnostics_channel'
    import { register } from 'tsx/esm/api'
    const unregister = register()
    const { withoutTracing } = await import('${new URL('../../src/http/clients/suppress-tracing.ts', import.meta.url)}')
    const { isOwnWork } = await import('${new URL('../../src/model/runtime/own-work.ts', import.meta.url)}')
    console.log(withoutTracing(() => isOwnWork()), Object.hasOwn(channel('undici:request:create'), 'publish'))
    await unregister()`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(output).toBe('false false\n')
})
