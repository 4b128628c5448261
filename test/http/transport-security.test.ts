import { expect, test } from 'vitest'
import { assertTransportSecurity, isLoopback, isLoopbackHost } from '../../src/http/transport-security.ts'

test.each([
  'http://localhost:9000',
  'http://LOCALHOST.:9000',
  'http://app.localhost',
  'http://127.0.0.1',
  'http://127.8.9.1',
  'http://127.1',
  'http://[::1]:9000',
  'http://[::ffff:127.0.0.1]',
])('%s is loopback', (url) => {
  expect(isLoopback(new URL(url))).toBe(true)
})

test.each([
  'http://example.com',
  'http://localhost.example.com',
  'http://127.0.0.1.example.com',
  'http://128.0.0.1',
  'http://0.0.0.0',
  'http://10.0.0.1',
  'http://[::2]',
  'http://[::ffff:128.0.0.1]',
  'http://notlocalhost',
])('%s is not loopback', (url) => {
  expect(isLoopback(new URL(url))).toBe(false)
})

test.each([
  'localhost',
  'LocalHost.',
  'app.localhost',
  '127.0.0.1',
  '127.255.255.254',
  '127.1',
  '127.0.0.1.',
  '::1',
  '[::1]',
  '::1%lo0',
  '0:0:0:0:0:0:0:1',
  '0000:0000:0000:0000:0000:0000:0000:0001',
  '::ffff:127.0.0.1',
  '::FFFF:7f00:1',
  '[0:0:0:0:0:ffff:127.8.9.1]',
])('the host %s is this machine', (host) => {
  expect(isLoopbackHost(host)).toBe(true)
})

test.each([
  '',
  '127.evil.example',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  'notlocalhost',
  '0.0.0.0',
  '::',
  '::2',
  '::ffff:128.0.0.1',
  '::127.0.0.1',
  '1::1',
  'evil.example@127.0.0.1',
  '127.0.0.1:80',
  '127.0.0.1/..',
  '127.0.0.1?',
  '%31%32%37.0.0.1',
  '127\u30020.0.1',
  '[::1]:80',
  'evil%localhost',
])('the host %j is not taken for this machine', (host) => {
  expect(isLoopbackHost(host)).toBe(false)
})

test('credentials over plain http bring one warning, and an error where TLS is required', () => {
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  for (const requireTls of [false, true]) {
    assertTransportSecurity(new URL('https://telemetry.example.com'), { warn, requireTls })
    assertTransportSecurity(new URL('http://localhost:9000'), { warn, requireTls })
  }
  expect(warnings).toEqual([])

  assertTransportSecurity(new URL('http://telemetry.example.com/base?x=1'), { warn })
  expect(warnings).toEqual([
    expect.stringMatching(/WARNING.*unencrypted.*http:\/\/telemetry\.example\.com.*MICROMEGAS_REQUIRE_TLS/),
  ])

  expect(() =>
    assertTransportSecurity(new URL('http://telemetry.example.com'), { warn, requireTls: true }),
  ).toThrow(
    expect.objectContaining({
      code: 'ERR_TELEMETRY_CONFIG',
      message: expect.stringContaining('MICROMEGAS_REQUIRE_TLS'),
    }),
  )
  expect(warnings).toHaveLength(1)
})
