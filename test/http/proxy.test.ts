import { expect, test } from 'vitest'
import { proxyFromEnv } from '../../src/http/proxy.ts'

const https = new URL('https://ingest.example.com/x')
const http = new URL('http://ingest.example.com:9000/x')

test('the variable of the scheme names the proxy, and ALL_PROXY stands in for it', () => {
  const env = { HTTPS_PROXY: 'http://secure:1', HTTP_PROXY: 'http://plain:2' }
  expect(proxyFromEnv(https, env)?.url.href).toBe('http://secure:1/')
  expect(proxyFromEnv(http, env)?.url.href).toBe('http://plain:2/')
  expect(proxyFromEnv(https, { ALL_PROXY: 'http://any:3' })?.label).toBe('http://any:3')
  expect(proxyFromEnv(https, { HTTP_PROXY: 'http://plain:2' })).toBeUndefined()
  expect(proxyFromEnv(https, {})).toBeUndefined()
})

test('the lower-case spelling wins and a blank variable is unset', () => {
  expect(proxyFromEnv(http, { HTTP_PROXY: 'http://upper:1', http_proxy: 'http://lower:2' })?.label).toBe(
    'http://lower:2',
  )
  expect(proxyFromEnv(http, { http_proxy: ' ', HTTP_PROXY: 'http://upper:1' })?.label).toBe('http://upper:1')
})

test('a proxy without a scheme is an http one, and its label holds no credentials', () => {
  const route = proxyFromEnv(https, { https_proxy: 'user:secret@proxy.corp:3128' })
  expect(route?.url.href).toBe('http://user:secret@proxy.corp:3128/')
  expect(route?.label).toBe('http://proxy.corp:3128')
})

test.each(['socks5://proxy:1', 'http://', '://x', 'http://user:hunter2@bad host'])(
  'the proxy %s is refused at start, by the name of its variable only',
  (value) => {
    expect(() => proxyFromEnv(https, { HTTPS_PROXY: value })).toThrow(
      expect.objectContaining({
        code: 'ERR_TELEMETRY_CONFIG',
        message: 'Cannot use HTTPS_PROXY: expected the URL of an http or https proxy',
      }),
    )
  },
)

test.each([
  ['*', true],
  ['ingest.example.com', true],
  ['INGEST.example.com', true],
  ['example.com', true],
  ['.example.com', true],
  ['*.example.com', true],
  ['other.com, example.com:9000', true],
  ['example.com:80', false],
  ['other.com example.org', false],
  ['test.example.com', false],
  ['ample.com', false],
  ['', false],
])('NO_PROXY=%s excludes ingest.example.com:9000: %s', (value, excluded) => {
  const route = proxyFromEnv(http, { HTTP_PROXY: 'http://proxy:1', NO_PROXY: value })
  expect(route === undefined).toBe(excluded)
})

test('NO_PROXY takes IPv6 addresses, with and without brackets and port', () => {
  const url = new URL('http://[fd00::1]:9000/')
  for (const value of ['fd00::1', '[fd00::1]', '[fd00::1]:9000']) {
    expect(proxyFromEnv(url, { HTTP_PROXY: 'http://proxy:1', NO_PROXY: value })).toBeUndefined()
  }
  expect(proxyFromEnv(url, { HTTP_PROXY: 'http://proxy:1', NO_PROXY: 'fd00::2' })).toBeDefined()
})

test.each([
  'http://localhost:1',
  'http://app.localhost:1',
  'http://127.0.0.1:1',
  'http://127.1.2.3:1',
  'http://[::1]:1',
])('the loopback address %s is never proxied', (url) => {
  expect(proxyFromEnv(new URL(url), { ALL_PROXY: 'http://proxy:1' })).toBeUndefined()
})
