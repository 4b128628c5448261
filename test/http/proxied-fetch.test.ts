import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { expect, test, vi } from 'vitest'
import { OidcClientCredentialsDecorator } from '../../src/auth/oidc/oidc-client-credentials-decorator.ts'
import { proxiedFetch } from '../../src/http/proxy/proxied-fetch.ts'
import { startForwardProxy } from '../support/forward-proxy.ts'

const REQUEST = {
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'grant_type=client_credentials',
  redirect: 'manual',
  signal: new AbortController().signal,
} as const

async function text(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body ?? []) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('token requests take the proxy that the environment names, except where NO_PROXY excludes the host', async () => {
  const provider = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'x-path': request.url }).end('{"ok":true}'))
  }).listen(0, '127.0.0.1')
  await once(provider, 'listening')
  const { port } = provider.address() as AddressInfo
  await using proxy = await startForwardProxy({ to: port })
  const env = { HTTP_PROXY: proxy.url }
  try {
    const answer = await proxiedFetch(env, () => {})('http://idp.invalid/token', REQUEST)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('X-Path')).toBe('/token')
    expect(answer.headers.get('x-none')).toBeNull()
    expect(await text(answer.body)).toBe('{"ok":true}')
    expect(proxy.asked).toEqual(['POST http://idp.invalid/token'])

    for (const direct of [{ ...env, NO_PROXY: '*' }, {}]) {
      const { body } = await proxiedFetch(direct, () => {})(`http://127.0.0.1:${port}/direct`, REQUEST)
      expect(await text(body)).toBe('{"ok":true}')
    }
    expect(proxy.asked).toHaveLength(1)
  } finally {
    provider.close() // its connections are closed already
    await once(provider, 'close')
  }
})

test('what cannot be reached leaves nothing behind, and says why', async () => {
  const fetch = proxiedFetch({}, () => {})
  await expect(fetch('http://127.0.0.1:1/token', REQUEST)).rejects.toThrow('ECONNREFUSED')
  await expect(
    fetch('http://127.0.0.1:1/token', { ...REQUEST, signal: AbortSignal.abort() }),
  ).rejects.toThrow()
})

test.each(['100 Continue', '102 Processing', '103 Early Hints'])(
  'interim answers (%s) to a token request are passed over in whatever packets they come',
  async (interim) => {
    const provider = createTcpServer((socket) => {
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.once('data', async () => {
        const interims = `HTTP/1.1 ${interim}\r\nlink: x\r\n\r\n`.repeat(2)
        const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}'
        for (const byte of Buffer.from(interims + answer)) {
          socket.write(Buffer.of(byte))
          await new Promise(setImmediate)
        }
      })
    }).listen(0, '127.0.0.1')
    await once(provider, 'listening')
    const { port } = provider.address() as AddressInfo
    const answer = await proxiedFetch({}, () => {})(`http://127.0.0.1:${port}/token`, REQUEST)
    expect([answer.status, await text(answer.body)]).toEqual([200, '{}'])
    provider.close()
  },
)

test('a proxy that has an IPv6 address and wants a password gets it, for http and https', async () => {
  const provider = createServer((_request, response) => void response.end('{}')).listen(0, '127.0.0.1')
  await once(provider, 'listening')
  await using proxy = await startForwardProxy({ to: (provider.address() as AddressInfo).port, host: '::1' })
  const url = proxy.url.replace('//', '//us%40er:p%25%zz@')
  const fetch = proxiedFetch({ all_proxy: url }, () => {})
  expect(await text((await fetch('http://idp.invalid:8080/token', REQUEST)).body)).toBe('{}')
  // The provider speaks no TLS, the tunnel to it is made.
  await expect(fetch('https://idp.invalid/token', REQUEST)).rejects.toThrow()
  expect(proxy.asked).toEqual(['POST http://idp.invalid:8080/token', 'CONNECT idp.invalid:443'])
  const pair = Buffer.from('us%40er:p%25%zz').toString('base64')
  expect(
    proxy.authorizations.map((value) => Buffer.from(value?.slice(6) ?? '', 'base64').toString()),
  ).toEqual(Array(2).fill(Buffer.from(pair, 'base64').toString().replace('us%40er', 'us@er')))
  provider.close()
})

test.each(['HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n', 'HTTP/1.1 200', 'SSH-2.0\r\n', ''])(
  'a proxy that answers %j and closes is a failure that names it',
  async (answer) => {
    const proxy = createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(answer))
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const env = { https_proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` }
    await expect(proxiedFetch(env, () => {})('https://idp.invalid/token', REQUEST)).rejects.toThrow(/proxy/)
    proxy.close()
    await once(proxy, 'close')
  },
)

test('a client made by hand goes by the proxies of the environment too', async () => {
  const provider = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end('{"access_token":"t","token_type":"Bearer","expires_in":60}')
  }).listen(0, '127.0.0.1')
  await once(provider, 'listening')
  await using proxy = await startForwardProxy({ to: (provider.address() as AddressInfo).port })
  vi.stubEnv('https_proxy', proxy.url)
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: 'https://idp.invalid/token',
    clientId: 'a',
    clientSecret: 'b',
    warn: () => {},
  })
  const headers = new Headers()
  const request = { url: new URL('http://x'), method: 'POST', headers, body: new Uint8Array() }
  await expect(decorator.decorate(request as never, AbortSignal.timeout(5_000))).rejects.toThrow(
    'idp.invalid',
  )
  expect(proxy.asked[0]).toBe('CONNECT idp.invalid:443')
  vi.unstubAllEnvs()
  provider.close()
})

test('a signal that aborts a request under way, for whatever reason, is a failure and nothing else', async () => {
  const silent = createTcpServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/token`
  const fetch = proxiedFetch({}, () => {})
  for (const [reason, words] of [
    [undefined, 'This operation was aborted'],
    [new DOMException('late', 'TimeoutError'), 'late'],
    ['a text', 'a text'],
    [null, 'null'],
  ] as const) {
    const controller = new AbortController()
    const asked = once(silent, 'connection')
    const answer = fetch(url, { ...REQUEST, signal: controller.signal })
    await asked
    controller.abort(reason)
    await expect(answer).rejects.toThrow(words)
  }
  silent.close()
})
