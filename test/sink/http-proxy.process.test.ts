import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { selfSigned } from '../support/certificate.ts'
import { startForwardProxy } from '../support/forward-proxy.ts'
import { until } from '../support/until.ts'
import { endProgram } from './support/ending.ts'
import { startService } from './support/service.ts'
import { QUICK, SinkUnderTest } from './support/sink.ts'

const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy']
const NAMES = PROXY_VARIABLES.flatMap((name) => [name, name.toUpperCase()])
const saved = Object.fromEntries(NAMES.map((name) => [name, process.env[name]]))
for (const name of NAMES) delete process.env[name]
afterEach(() => {
  for (const name of NAMES) {
    const value = saved[name]
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
})

const certificate = selfSigned('ingest.invalid', '10.255.255.1', '127.0.0.1')
const certificateFile = join(tmpdir(), `certificate-${process.pid}.pem`)
writeFileSync(certificateFile, certificate.cert)
afterAll(() => rmSync(certificateFile))

/** With credentials, of which a part cannot be decoded and is sent as it stands. */
const withCredentials = (url: string): string => url.replace('//', '//us%20er:pa%20s%zz@')
const AUTHORIZATION = `Basic ${Buffer.from('us er:pa%20s%zz').toString('base64')}`

test('plain http is asked of the proxy in absolute form, with its credentials, over a few kept connections', async () => {
  await using service = await startService()
  await using proxy = await startForwardProxy({ to: service.port })
  process.env.HTTP_PROXY = withCredentials(proxy.url)
  await using under = new SinkUnderTest('http://ingest.invalid/base', QUICK)
  for (let i = 0; i < 9; i++) under.push()
  expect((await under.sink.flush()).delivered.blocks).toBe(9)
  expect(new Set(proxy.asked)).toEqual(
    new Set(
      ['process', 'stream', 'block'].map(
        (kind) => `POST http://ingest.invalid/base/ingestion/insert_${kind}`,
      ),
    ),
  )
  expect(proxy.connections).toBeLessThanOrEqual(3)
  expect(new Set(proxy.authorizations)).toEqual(new Set([AUTHORIZATION]))
  expect(service.requests.every(({ headers }) => headers.host === 'ingest.invalid')).toBe(true)
  expect(under.sink.stats()).toMatchObject({ failedAttempts: 0 })
})

test.each(['end', 'exit'] as const)(
  'so it is when the process ends by "%s", where the proxy makes tunnels to port 443 only',
  async (how) => {
    await using service = await startService()
    await using proxy = await startForwardProxy({ to: service.port })
    const env = { HTTP_PROXY: withCredentials(proxy.url) }
    expect(await endProgram('http://ingest.invalid/base', { how }, env)).toMatchObject({ delivered: 5 })
    expect(proxy.asked).toContain('POST http://ingest.invalid/base/ingestion/insert_block')
    expect(new Set(proxy.authorizations)).toEqual(new Set([AUTHORIZATION]))
    expect(service.requests.every(({ url }) => url.startsWith('/base/ingestion/'))).toBe(true)
  },
)

const INTERIM = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'

test.each([
  { how: 'end', host: 'ingest.invalid' },
  { how: 'end', host: 'ingest.invalid', secure: true },
  { how: 'end', host: '10.255.255.1', beforeTunnel: INTERIM },
  { how: 'exit', host: 'ingest.invalid' },
  { how: 'exit', host: 'ingest.invalid', secure: true },
  { how: 'exit', host: '10.255.255.1', beforeTunnel: INTERIM },
])(
  "https goes through a tunnel, and the certificate is the service's: %j",
  async ({ how, host, secure = false, beforeTunnel = '' }) => {
    await using service = await startService(() => 200, certificate)
    await using proxy = await startForwardProxy({
      to: service.port,
      beforeTunnel,
      ...(secure && { certificate }),
    })
    const env = { https_proxy: withCredentials(proxy.url), NODE_EXTRA_CA_CERTS: certificateFile }
    const ending = await endProgram(`https://${host}/base`, { how, blocks: 20 }, env)
    expect(ending).toMatchObject({ code: 0, delivered: 20, dropped: 0 })
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${host}:443`]))
    expect(proxy.asked.length).toBeLessThanOrEqual(6) // three at once, and again if the thread at the end takes over
    expect(new Set(proxy.authorizations)).toEqual(new Set([AUTHORIZATION]))
    expect(service.requests.every(({ headers }) => headers['proxy-authorization'] === undefined)).toBe(true)
  },
)

test.each(['end', 'exit'] as const)(
  'a service with a certificate for another name gets nothing (%s)',
  async (how) => {
    await using service = await startService(() => 200, certificate)
    await using proxy = await startForwardProxy({ to: service.port })
    const env = { HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: certificateFile }
    const ending = await endProgram('https://other.invalid', { how, timeoutMs: 500 }, env)
    expect(ending).toMatchObject({ delivered: 0, dropped: 5 })
    expect(service.requests).toEqual([])
  },
)

test('a tunnel is closed with the sink', async () => {
  await using service = await startService(() => 200, certificate)
  await using proxy = await startForwardProxy({ to: service.port })
  process.env.HTTPS_PROXY = proxy.url
  await using under = new SinkUnderTest('https://ingest.invalid', { ...QUICK, requestTimeoutMs: 500 })
  under.push()
  await until(() => proxy.connections > 0)
  await under.sink.shutdown({ timeoutMs: 50 })
  await service.idle()
})

test('NO_PROXY keeps uploads off the proxy', async () => {
  await using service = await startService()
  await using proxy = await startForwardProxy({ to: service.port })
  process.env.HTTP_PROXY = proxy.url
  process.env.NO_PROXY = 'ingest.invalid'
  await using under = new SinkUnderTest('http://ingest.invalid', QUICK)
  under.push()
  await until(() => under.warnings.length > 0)
  expect(proxy.asked).toEqual([])
})

test.each(['http', 'https'])(
  'a proxy that refuses is retried and named in the warning, without its password (%s)',
  async (scheme) => {
    await using service = await startService()
    await using proxy = await startForwardProxy({ to: service.port, status: 407 })
    process.env[`${scheme.toUpperCase()}_PROXY`] = proxy.url.replace('//', '//user:hunter2@')
    await using under = new SinkUnderTest(`${scheme}://ingest.invalid`, QUICK)
    under.push()
    await until(() => under.warnings.length > 0)
    expect(under.warnings[0]).toContain(
      `${scheme}://ingest.invalid (through the proxy ${proxy.url}): the proxy answers 407`,
    )
    expect(under.warnings.join()).not.toContain('hunter2')
    expect(under.sink.stats().pending.blocks).toBe(1)
  },
)

test('a proxy that closes the connection on a request for a tunnel is asked once an attempt', async () => {
  const proxy = createHttpServer() // without a handler for CONNECT, Node closes the connection
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo
  let connections = 0
  proxy.on('connection', () => connections++)
  process.env.HTTPS_PROXY = `http://127.0.0.1:${port}`
  await using under = new SinkUnderTest('https://ingest.invalid', { ...QUICK, maxInFlightRequests: 1 })
  under.push()
  await until(() => under.warnings.length > 0)
  const { attempts } = under.sink.stats()
  expect(connections).toBeLessThanOrEqual(attempts + 1)
  expect(under.warnings[0]).toContain('the proxy closed the connection')
  proxy.close()
})

test('a proxy that never answers a request for a tunnel leaves no connection behind', async () => {
  await using silent = await startService(() => undefined)
  silent.server.on('connect', (_request, socket: Socket) => socket.resume().on('end', () => socket.end()))
  process.env.HTTPS_PROXY = silent.url
  await using under = new SinkUnderTest('https://ingest.invalid', { ...QUICK, requestTimeoutMs: 50 })
  under.push()
  await until(() => under.sink.stats().failedAttempts >= 5)
  await under.sink.shutdown({ timeoutMs: 50 })
  await silent.idle()
  expect(silent.connections).toBeGreaterThanOrEqual(5)
})

test('a variable that names no proxy is told once and never stops the service', async () => {
  process.env.ALL_PROXY = 'socks5://sink.test:1'
  await using first = new SinkUnderTest('http://ingest.invalid', QUICK)
  await using second = new SinkUnderTest('http://ingest.invalid', QUICK)
  expect([...first.warnings, ...second.warnings]).toEqual([
    'micromegas: cannot use ALL_PROXY: it is not the URL of an http or https proxy; connecting without a proxy',
  ])
})

test('the last requests go direct where the proxy of the environment is none, which is told once', async () => {
  await using service = await startService()
  const url = service.url.replace('127.0.0.1', '127.0.0.1.nip.invalid') // not loopback by its name, so a proxy counts
  const ending = await endProgram(url, { how: 'exit', timeoutMs: 300 }, { ALL_PROXY: 'socks5://127.0.0.1:1' })
  expect(ending.code).toBe(0)
  expect(ending.errors.match(/cannot use ALL_PROXY/g)).toHaveLength(1)
})
