import { beforeEach, expect, test } from 'vitest'
import { type ProxyRoute, proxyFromEnv as routeFromEnv } from '../../src/http/proxy/proxy.ts'

const warnings: string[] = []
beforeEach(() => {
  warnings.length = 0
})
function proxyFromEnv(service: URL, env: Record<string, string>): ProxyRoute | undefined {
  return routeFromEnv(service, env, (message) => warnings.push(message))
}

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

test.each([
  'socks5://proxy:1',
  'socks4a://user:hunter2@proxy:1',
  'ftp://proxy',
  'http://',
  '://x',
  'http://user:hunter2@bad host',
  'http://proxy:99999',
  'proxy:port',
  'fd00::1:3128',
  'http://[fe80::1%25eth0]:3128',
  '"http://proxy:1"',
  'file:///proxy.pac',
])('a proxy variable of %s is told once, by its name only, and means a direct connection', (value) => {
  for (const [url, name] of [
    [https, 'HTTPS_PROXY'],
    [https, 'https_proxy'],
    [http, 'HTTP_PROXY'],
    [http, 'http_proxy'],
    [https, 'ALL_PROXY'],
    [http, 'all_proxy'],
  ] as const) {
    warnings.length = 0
    for (let i = 0; i < 3; i++) expect(proxyFromEnv(url, { [name]: value })).toBeUndefined()
    expect(warnings).toEqual([
      `micromegas: cannot use ${name}: it is not the URL of an http or https proxy; connecting without a proxy`,
    ])
  }
})

test('a variable that is not in force is not told of', () => {
  const env = {
    ALL_PROXY: 'socks5://proxy:2',
    HTTP_PROXY: 'garbage in',
    NO_PROXY: '*',
    https_proxy: 'http://p:1',
  }
  expect(proxyFromEnv(https, env)).toBeUndefined()
  expect(proxyFromEnv(https, { ...env, NO_PROXY: 'x' })?.label).toBe('http://p:1')
  expect(proxyFromEnv(new URL('http://localhost'), { ...env, NO_PROXY: '' })).toBeUndefined()
  expect(warnings).toEqual([])
})

test('in a CGI program HTTP_PROXY is a header of the client, and counts for nothing', () => {
  const cgi = { REQUEST_METHOD: 'GET', HTTP_PROXY: 'http://attacker:1' }
  expect(proxyFromEnv(http, cgi)).toBeUndefined()
  expect(proxyFromEnv(http, { ...cgi, http_proxy: 'http://proxy:2' })?.label).toBe('http://proxy:2')
  expect(proxyFromEnv(https, { ...cgi, HTTPS_PROXY: 'http://proxy:3' })?.label).toBe('http://proxy:3')
})

test.each([
  ['[fd00::1]:3128', 'http://[fd00::1]:3128'],
  ['http://[::ffff:10.0.0.1]', 'http://[::ffff:a00:1]'],
  ['HTTP://PROXY.corp:3128/', 'http://proxy.corp:3128'],
  ['https://proxy.corp', 'https://proxy.corp'],
  ['http://us%er:p%zz@proxy.corp:1', 'http://proxy.corp:1'],
  ['10.0.0.1', 'http://10.0.0.1'],
])('the proxy %s is %s', (value, label) => {
  expect(proxyFromEnv(https, { HTTPS_PROXY: value })?.label).toBe(label)
  expect(warnings).toEqual([])
})

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
  ['example.com.', true],
  ['..example.com', false],
  ['*.*.com', false],
  ['ex*', false],
  ['test.example.com', false],
  ['ample.com', false],
  ['', false],
])('NO_PROXY=%s excludes ingest.example.com:9000: %s', (value, excluded) => {
  const route = proxyFromEnv(http, { HTTP_PROXY: 'http://proxy:1', NO_PROXY: value })
  expect(route === undefined).toBe(excluded)
})

test.each([
  ['fd00::1', true],
  ['[fd00::1]', true],
  ['[fd00::1]:9000', true],
  ['FD00:0:0:0::1', true],
  ['fd00::/8', true],
  ['[fd00::]/8', true],
  ['fd00::1/128', true],
  ['::/0', true],
  ['[fd00::1]:80', false],
  ['fd00::2', false],
  ['fd01::/16', false],
  ['fd00::/129', false],
  ['fd00::/', false],
  ['[fd00::1', false],
  ['0.0.0.0/0', false],
])('NO_PROXY=%s excludes [fd00::1]:9000: %s', (value, excluded) => {
  const url = new URL('http://[fd00::1]:9000/')
  expect(proxyFromEnv(url, { HTTP_PROXY: 'http://proxy:1', NO_PROXY: value }) === undefined).toBe(excluded)
})

test.each([
  ['10.1.2.3', true],
  ['10.1.2.3:443', true],
  ['10.0.0.0/8', true],
  ['10.1.2.0/24,x', true],
  ['10.1.2.3/32', true],
  ['0.0.0.0/0', true],
  ['10.1.2.1-10.1.2.3', true],
  ['10.1.2.3-10.1.2.3', true],
  ['::ffff:10.1.2.3', true],
  ['10.1.2.3:80', false],
  ['10.1.2.4', false],
  ['10.1.2', false],
  ['2.3', false],
  ['10.1.2.0/33', false],
  ['10.1.2.0/-1', false],
  ['10.1.2.0/8/8', false],
  ['10.1.3.0/24', false],
  ['10.1.2.9-10.1.2.1', false],
  ['10.1.2.4-10.1.2.9', false],
  ['10.1.2.300-10.1.3', false],
  ['10.*', false],
  ['https://10.1.2.3', false],
  [':443', false],
  ['/', false],
])('NO_PROXY=%s excludes https://10.1.2.3: %s', (value, excluded) => {
  const url = new URL('https://10.1.2.3/')
  expect(proxyFromEnv(url, { HTTPS_PROXY: 'http://proxy:1', no_proxy: value }) === undefined).toBe(excluded)
})

test('NO_PROXY of any text throws nothing', () => {
  const pieces = ['[', ']', ':', '/', '*', '.', '-', ',', ' ', '10', '::1', 'a', '%', '\0', '💥', '99999']
  for (let i = 0; i < 3000; i++) {
    const text = Array.from(
      { length: (i % 7) + 1 },
      (_, k) => pieces[(i * 7 + k * (i % 13)) % pieces.length],
    ).join('')
    for (const url of ['https://10.1.2.3/', 'http://[::2]/', 'http://a.example/']) {
      expect(() => proxyFromEnv(new URL(url), { ALL_PROXY: 'http://proxy:1', NO_PROXY: text })).not.toThrow()
    }
  }
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
