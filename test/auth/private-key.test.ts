import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { expect, test } from 'vitest'
import { importSigningKey, signingKeyProblem } from '../../src/auth/oidc/private-key.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey
const ed25519 = generateKeyPairSync('ed25519').privateKey
const pem = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1'): string =>
  key.export({ type, format: 'pem' }).toString()
const jwk = (key: KeyObject, more: object): string =>
  JSON.stringify({ ...key.export({ format: 'jwk' }), ...more })

test.each([
  ['RSA in PKCS #8', pem(rsa, 'pkcs8'), { name: 'RSASSA-PKCS1-v1_5', hash: { name: 'SHA-256' } }],
  ['RSA in PKCS #1', pem(rsa, 'pkcs1').trim(), { name: 'RSASSA-PKCS1-v1_5', hash: { name: 'SHA-256' } }],
  [
    'an RSA JWK for RS512',
    jwk(rsa, { alg: 'RS512' }),
    { name: 'RSASSA-PKCS1-v1_5', hash: { name: 'SHA-512' } },
  ],
  ['an RSA JWK for PS384', jwk(rsa, { alg: 'PS384' }), { name: 'RSA-PSS', hash: { name: 'SHA-384' } }],
  ['P-256 in SEC 1', pem(ec('P-256'), 'sec1'), { name: 'ECDSA', namedCurve: 'P-256' }],
  ['P-384 in PKCS #8', pem(ec('P-384'), 'pkcs8'), { name: 'ECDSA', namedCurve: 'P-384' }],
  ['a P-521 JWK', jwk(ec('P-521'), {}), { name: 'ECDSA', namedCurve: 'P-521' }],
  ['Ed25519', pem(ed25519, 'pkcs8'), { name: 'Ed25519' }],
])('%s can sign', async (_name, text, algorithm) => {
  expect(signingKeyProblem(text)).toBeUndefined()
  const { key } = await importSigningKey(text, undefined)
  expect(key.algorithm).toMatchObject(algorithm)
  expect(key).toMatchObject({ extractable: false, usages: ['sign'] })
})

test('the key id is the given one, else the JWK’s own', async () => {
  const text = jwk(ed25519, { kid: 'own' })
  expect((await importSigningKey(text, undefined)).kid).toBe('own')
  expect((await importSigningKey(text, 'given')).kid).toBe('given')
  expect((await importSigningKey(pem(ed25519, 'pkcs8'), undefined)).kid).toBeUndefined()
})

test.each([
  [
    'an encrypted key',
    rsa.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
    'encrypted',
  ],
  [
    'a public key',
    generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    'no private key',
  ],
  [
    'a public JWK',
    JSON.stringify(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })),
    'no private key',
  ],
  ['a key for agreement', pem(generateKeyPairSync('x25519').privateKey, 'pkcs8'), 'cannot sign'],
  ['a curve of cryptocurrency', pem(ec('secp256k1'), 'pkcs8'), 'cannot sign'],
  ['broken JSON', '{"d":"canary', 'neither PEM nor a JWK'],
  ['plain text', 'canary', 'no private key'],
])('%s is refused, with nothing of it in the message', async (_name, text, words) => {
  expect(signingKeyProblem(text)).toContain(words)
  expect(signingKeyProblem(text)).not.toContain('canary')
  await expect(importSigningKey(text, undefined)).rejects.toThrow(words)
})
