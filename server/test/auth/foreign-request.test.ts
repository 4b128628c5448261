import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { PROCESS_CBOR } from '../../../test/telemetry/worked-examples.ts'
import { post, send, startServer, type TestServer } from '../support/server.ts'

const KEYS = [{ name: 'ci', key: 'mmk_first' }]

async function statuses(server: TestServer, headers: Record<string, string>): Promise<number[]> {
  const reading = await send(server.url, '/api/stats', { headers })
  const deleting = await send(server.url, '/api/processes/x', { method: 'DELETE', headers })
  const asking = await send(server.url, '/gateway/query', {
    method: 'POST',
    headers,
    body: Buffer.from('{}'),
  })
  const expected = reading.status === 200 ? 400 : reading.status
  expect(asking.status).toBe(expected)
  return [(await post(server, 'process', PROCESS_CBOR, headers)).status, reading.status, deleting.status]
}

/** Sends the bytes as they stand and waits for the status line. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (data) => {
      answer += data.toString('latin1')
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
  })
}

describe('without authentication, a web page', () => {
  const foreign: readonly [string, (port: number) => Record<string, string>][] = [
    ['of another site', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['of another port of this machine', () => ({ 'sec-fetch-site': 'same-site' })],
    ['of a fetch site that is not known yet', () => ({ 'sec-fetch-site': 'x' })],
    ['of another origin', () => ({ origin: 'https://evil.example' })],
    ['of an origin on another port', (port) => ({ origin: `http://127.0.0.1:${port + 1}` })],
    ['of the same name with a default port', () => ({ origin: 'http://127.0.0.1' })],
    ['of localhost where an address is asked', (port) => ({ origin: `http://localhost:${port}` })],
    ['in a sandbox', () => ({ origin: 'null' })],
    ['with an origin that is none', () => ({ origin: '' })],
    ['with an origin of another scheme', () => ({ origin: 'chrome-extension://abc' })],
    ['by a name of its own', () => ({ host: 'evil.example' })],
    ['by a name like an address', () => ({ host: '127.0.0.1.evil.example' })],
    ['by a name like localhost', () => ({ host: 'localhost.evil.example:80' })],
    ['by a name that ends in digits', () => ({ host: '127.evil.1' })],
    [
      'by a name of its own, with the origin that fits',
      () => ({ host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }),
    ],
    ['by a name that ends like a private one', () => ({ host: 'internal.evil.example' })],
    ['by a name with a dot at its end', () => ({ host: 'evil.' })],
    ['by an address before an at', () => ({ host: '127.0.0.1@evil.example' })],
  ]
  test.for(foreign)('%s can neither send nor read nor delete', async ([, headersOf]) => {
    await using server = await startServer()
    expect(await statuses(server, headersOf(server.port))).toEqual([403, 403, 403])
    expect(server.events.map(({ type }) => type)).toEqual(Array(4).fill('refused'))
    expect((await server.reader.processes()).rows).toEqual([])
  })

  const own: readonly [string, (port: number) => Record<string, string>][] = [
    ['services, which send none of these headers,', () => ({})],
    [
      'a page of this server',
      (port) => ({ origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' }),
    ],
    ['a person in a browser', () => ({ 'sec-fetch-site': 'none' })],
    ['localhost', (port) => ({ host: `localhost:${port}`, origin: `http://localhost:${port}` })],
    ['a name below localhost', () => ({ host: 'app.localhost' })],
    ['another spelling of the address', () => ({ host: '127.1' })],
    ['an IPv6 address', () => ({ host: '[::1]:8081', origin: 'http://[::1]:8081' })],
    ['a long IPv6 address', () => ({ host: '[0:0:0:0:0:0:0:1]:8081' })],
    ['an address of a container', () => ({ host: '172.17.0.1:8081' })],
    ['a container, by the name of its host', () => ({ host: 'host.docker.internal:8081' })],
    ['a name without a dot', () => ({ host: 'micromegas:8081' })],
    ['LOCALHOST in capitals', () => ({ host: 'LOCALHOST:1' })],
  ]
  test.for(own)('%s can', async ([, headersOf]) => {
    await using server = await startServer()
    expect(await statuses(server, headersOf(server.port))).toEqual([200, 200, 404])
  })

  test('cannot hide a name behind a second Host, or behind the target of the request', async () => {
    await using server = await startServer()
    const { port } = server
    const get = (target: string, ...hosts: string[]): Promise<string> =>
      raw(
        port,
        `GET ${target} HTTP/1.1\r\n${hosts.map((host) => `host: ${host}\r\n`).join('')}connection: close\r\n\r\n`,
      )
    expect(await get('/api/stats', 'localhost')).toMatch(/^HTTP\/1.1 200 /)
    expect(await get('/api/stats', 'localhost', 'evil.example')).toMatch(/^HTTP\/1.1 (403|400) /)
    expect(await get('http://evil.example/api/stats', 'localhost')).toMatch(/^HTTP\/1.1 403 /)
    expect(await get('http://localhost/api/stats', 'localhost')).toMatch(/^HTTP\/1.1 200 /)
  })

  test('of another origin cannot send to a server that every machine reaches either; any name of that is its own', async () => {
    await using server = await startServer({ host: '0.0.0.0' })
    expect(await statuses(server, { host: 'micromegas:8081' })).toEqual([200, 200, 404])
    expect(await statuses(server, { host: 'telemetry.corp', origin: 'http://telemetry.corp' })).toEqual([
      200, 200, 404,
    ])
    expect(await statuses(server, { host: 'micromegas:8081', origin: 'http://evil.example' })).toEqual([
      403, 403, 403,
    ])
  })
})

test('with authentication on, the key decides: a page cannot know it', async () => {
  await using server = await startServer({ apiKeys: KEYS })
  const headers = {
    authorization: 'Bearer mmk_first',
    origin: 'https://app.example',
    host: 'telemetry.example',
  }
  expect((await statuses(server, headers)).slice(0, 2)).toEqual([200, 200])
  expect(await statuses(server, { origin: 'https://app.example' })).toEqual([401, 401, 401])
})

describe('health and readiness', () => {
  test.for([
    'GET /health HTTP/1.0\r\n\r\n',
    'GET /ready HTTP/1.0\r\n\r\n',
    'HEAD /health HTTP/1.0\r\n\r\n',
    'GET /health HTTP/1.0\r\nHost:\r\n\r\n',
    'GET /health HTTP/1.1\r\nHost: 10.1.2.3:8081\r\nConnection: close\r\n\r\n',
    'GET /health HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://x\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\n\r\n',
    'GET /health HTTP/1.1\r\nHost: [0:0:0:0:0:0:0:1]:8081\r\nConnection: close\r\n\r\n',
    'GET /health HTTP/1.1\r\nHost: UPPER_case.example:99999\r\nConnection: close\r\n\r\n',
    'GET http://load.balancer/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'GET /health?from=balancer HTTP/1.0\r\n\r\n',
  ])('answer %j with 200, whoever asks and whether or not it names a host', async (request) => {
    await using server = await startServer({ apiKeys: KEYS })
    expect(await raw(server.port, request)).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  })

  test('HTTP/1.1 without a host is still no request (RFC 9112, section 3.2)', async () => {
    await using server = await startServer()
    expect(await raw(server.port, 'GET /health HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
  })
})
