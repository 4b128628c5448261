import { afterEach, expect, test, vi } from 'vitest'
import { parseAnalyticsUri } from '../../src/query/flight/analytics-uri.ts'
import { queryProxy } from '../../src/query/flight/query-proxy.ts'
import { FlightSQLClient } from '../../src/query/index.ts'
import { startConnectProxy } from './support/connect-proxy.ts'
import { answerShortly, startRawServer } from './support/raw-server.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('a proxy of the environment is asked for the server by CONNECT', async () => {
  await using server = await startRawServer((call) => {
    expect(call.headers[':authority']).toBe('analytics.test:50051')
    answerShortly(call)
  })
  await using proxy = await startConnectProxy(server.port, 'user:p@ss')
  vi.stubEnv('http_proxy', proxy.url.replace('//', '//user:p%40ss@'))
  await using client = new FlightSQLClient('grpc://analytics.test')
  expect((await client.query('select 1')).numRows).toBe(100)
  expect((await client.query('select 1')).numRows).toBe(100)
  expect(proxy.requests).toEqual(['analytics.test:50051'])
})

test('a proxy that refuses is an error that names the proxy and not its password', async () => {
  await using server = await startRawServer(answerShortly)
  await using proxy = await startConnectProxy(server.port, 'user:right')
  const [out, error] = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')]
  await using client = new FlightSQLClient('grpc://analytics.test:50051', {
    proxy: proxy.url.replace('//', '//user:wrong@'),
  })
  const failure: Error = await client.query('select 1').then(
    () => new Error('answered'),
    (reason) => reason,
  )
  expect(failure).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(
      `Cannot reach grpc://analytics.test:50051 through the proxy ${proxy.url}: `,
    ),
  })
  expect(`${failure.stack}`).not.toContain('wrong')
  expect([out, error].flatMap((spy) => spy.mock.calls)).toEqual([])
})

test('a proxy that is not there is an error that names it', async () => {
  await using client = new FlightSQLClient('grpc://analytics.test:50051', { proxy: 'http://127.0.0.1:1' })
  await expect(client.query('select 1')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message:
      'Cannot reach grpc://analytics.test:50051 through the proxy http://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
  })
})

const address = parseAnalyticsUri('grpc://analytics.example.com')
const secure = parseAnalyticsUri('grpc+tls://analytics.example.com')

test.each([
  [address, { http_proxy: 'http://a:1' }, 'a:1'],
  [address, { HTTP_PROXY: 'http://a' }, 'a:80'],
  [address, { https_proxy: 'http://a:1' }, undefined],
  [secure, { https_proxy: 'http://a:1' }, 'a:1'],
  [secure, { ALL_PROXY: 'a:1' }, 'a:1'],
  [secure, { grpc_proxy: 'http://g:1', https_proxy: 'http://a:1' }, 'g:1'],
  [address, { http_proxy: 'http://a:1', no_proxy: '.example.com' }, undefined],
  [address, { http_proxy: 'http://a:1', no_proxy: 'example.com:443' }, 'a:1'],
  [address, { http_proxy: 'http://a:1', no_proxy: 'example.com:50051' }, undefined],
  [address, { http_proxy: 'http://a:1', no_grpc_proxy: 'example.com' }, undefined],
  [parseAnalyticsUri('grpc://localhost'), { http_proxy: 'http://a:1' }, undefined],
])('%o with %o goes by %s', (uri, env, expected) => {
  const warn = vi.fn()
  expect(queryProxy(uri, undefined, env, warn)?.authority).toBe(expected)
  expect(warn).not.toHaveBeenCalled()
})

test('variables that name no usable proxy are told of, and the connection is direct', () => {
  const warn = vi.fn()
  expect(queryProxy(address, undefined, { http_proxy: 'socks5://query-test:1' }, warn)).toBeUndefined()
  expect(queryProxy(address, undefined, { http_proxy: 'https://user:secret@a:1' }, warn)).toBeUndefined()
  expect(warn.mock.calls.flat().join('\n')).toMatch(/cannot use http_proxy.*\n.*https:\/\/a:1 for queries/)
  expect(warn.mock.calls.flat().join('\n')).not.toContain('secret')
})

test('a proxy given in code is used whatever the environment says, and has to be usable', () => {
  const env = { http_proxy: 'http://a:1', no_proxy: '*' }
  expect(queryProxy(address, 'http://u:p@b:2', env, () => {})).toEqual({
    authority: 'b:2',
    credentials: 'u:p',
    label: 'http://b:2',
  })
  expect(queryProxy(address, false, { http_proxy: 'http://a:1' }, () => {})).toBeUndefined()
  for (const given of ['https://b', 'socks5://b', 'b', '']) {
    expect(() => queryProxy(address, given, env, () => {})).toThrow(
      'Cannot use proxy: expected the URL of an http proxy',
    )
  }
})
