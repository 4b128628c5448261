import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret, sanitizeText } from '../../src/auth/secret.ts'

test('a secret is hidden from every way of printing it, and revealed on demand', () => {
  const secret = new Secret('hunter2')
  const holder = { secret, list: [secret], map: new Map([[secret, secret]]) }
  const printed = [
    `${secret}`,
    String(secret),
    `x${secret}`,
    JSON.stringify(holder),
    inspect(holder, { showHidden: true, depth: 10, getters: true }),
    JSON.stringify(Object.getOwnPropertyNames(secret)),
    JSON.stringify(structuredClone({ ...secret })),
  ]
  expect(printed.join('\n')).not.toContain('hunter2')
  expect(`${secret}`).toBe('[secret]')
  expect(secret.reveal()).toBe('hunter2')
})

test('text of others loses the secret in every spelling it travels in', () => {
  const value = 'p@ss "w/ö rd+&=-_'
  const secret = new Secret(value)
  const spellings = [
    value,
    JSON.stringify(value),
    encodeURIComponent(value),
    new URLSearchParams({ client_secret: value }).toString(),
    // as openid-client has it in a Basic header, and as others echo it
    'p%40ss%20%22w%2F%C3%B6%20rd%2B%26%3D%2D%5F',
    'p%40ss+%22w%2F%C3%B6+rd%2B%26%3D%2D%5F',
    'p%40ss+%22w%2f%c3%b6+rd%2b%26%3d-_',
    Buffer.from(value).toString('base64'),
  ]
  for (const spelling of spellings) {
    const clean = sanitizeText(`before ${spelling} after`, [secret], 1000)
    expect(clean).not.toContain(spelling)
    expect(clean).toContain('[secret]')
  }
})

test.each([
  ['as long as a file may be', 'aB9-_.'.repeat(10_922)],
  ['with a lone surrogate', 'a\ud800b'],
  ['that the mark contains', 'secret'],
])('a secret %s is found too', (_, value) => {
  expect(sanitizeText(`before ${value} after`, [new Secret(value)], 100)).toBe('before [secret] after')
})

test('text of others cannot forge a line and is cut at its limit', () => {
  expect(sanitizeText('a\r\n\u001b[31mb\u2028c\u202ed', [], 100)).toBe('a [31mb c d')
  expect(sanitizeText('x'.repeat(100), [], 100)).toBe('x'.repeat(100))
  expect(sanitizeText('x'.repeat(101), [], 100)).toBe(`${'x'.repeat(100)}…`)
})
