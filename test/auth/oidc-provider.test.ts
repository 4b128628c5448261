import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt, importJWK, type JWK, jwtVerify, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OidcClientCredentialsDecorator } from '../../src/auth/oidc/oidc-client-credentials-decorator.ts'
import type { RequestDecorator } from '../../src/auth/request-decorator.ts'
import { AUDIENCE, type IdentityProvider, startIdentityProvider } from './support/identity-provider.ts'
import { authorizationOf, rejection, TestClock, uploadRequest } from './support/requests.ts'
import { startUploadServer } from './support/upload-server.ts'

let idp: IdentityProvider
let directory: string
beforeAll(async () => {
  idp = await startIdentityProvider()
  directory = await mkdtemp(join(tmpdir(), 'micromegas-auth-'))
})
afterAll(async () => {
  await idp[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, text)
  return path
}

/** Sends one upload the way the sink does: decorated, and once more after a 401. */
async function upload(decorator: RequestDecorator, url: string): Promise<number[]> {
  const statuses: number[] = []
  for (let attempt = 0; attempt < 2; attempt++) {
    const request = uploadRequest(url)
    const signal = AbortSignal.timeout(10_000)
    await decorator.decorate(request, signal)
    const response = await fetch(url, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      signal,
    })
    await response.body?.cancel()
    statuses.push(response.status)
    if (response.status !== 401) break
    await decorator.onRejected?.(request, 401)
  }
  return statuses
}

test.each([
  ['post-client', 'client_secret_post'],
  ['basic-client', 'client_secret_basic'],
] as const)('%s gets a token with %s that a server accepts', async (clientId, authMethod) => {
  await using server = await startUploadServer(idp)
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: idp.tokenEndpoint,
    clientId,
    clientSecret: 'first-secret',
    authMethod,
    resource: AUDIENCE,
    scope: 'telemetry',
  })
  expect(await upload(decorator, server.url)).toEqual([200])
  const claims = decodeJwt((await authorizationOf(decorator))?.slice('Bearer '.length) ?? '')
  expect(claims).toMatchObject({ iss: idp.issuer, aud: AUDIENCE, client_id: clientId, scope: 'telemetry' })
})

test('the issuer alone is enough: the token endpoint is discovered, once', async () => {
  const urls: string[] = []
  const clock = new TestClock()
  const decorator = OidcClientCredentialsDecorator.fromEnv(
    {
      MICROMEGAS_OIDC_ISSUER: idp.issuer,
      MICROMEGAS_OIDC_CLIENT_ID: 'post-client',
      MICROMEGAS_OIDC_CLIENT_SECRET: 'first-secret',
      MICROMEGAS_OIDC_RESOURCE: AUDIENCE,
    },
    {
      now: clock.now,
      fetch: (url, request) => {
        urls.push(url)
        return fetch(url, request)
      },
    },
  )
  const first = await authorizationOf(decorator)
  clock.advance(400_000)
  const second = await authorizationOf(decorator)
  expect(second).not.toBe(first)
  expect(urls).toEqual([
    `${idp.issuer}/.well-known/openid-configuration`,
    idp.tokenEndpoint,
    idp.tokenEndpoint,
  ])
})

test('a JWK in a file signs the client assertion', async () => {
  const privateKeyFile = await file('key.jwk', JSON.stringify({ ...idp.clientKeyJwk, kid: 'client-key' }))
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: idp.tokenEndpoint,
    clientId: 'key-client',
    privateKeyFile,
    resource: AUDIENCE,
  })
  expect(await authorizationOf(decorator)).toMatch(/^Bearer ey/)
})

test('a PEM key with its key id signs the client assertion, for the discovered issuer as audience', async () => {
  const { createPrivateKey } = await import('node:crypto')
  const pem = createPrivateKey({ key: { ...idp.clientKeyJwk }, format: 'jwk' }).export({
    type: 'sec1',
    format: 'pem',
  })
  const decorator = OidcClientCredentialsDecorator.fromEnv({
    MICROMEGAS_OIDC_ISSUER: idp.issuer,
    MICROMEGAS_OIDC_CLIENT_ID: 'key-client',
    MICROMEGAS_OIDC_PRIVATE_KEY_FILE: await file('key.pem', String(pem)),
    MICROMEGAS_OIDC_PRIVATE_KEY_ID: 'client-key',
    MICROMEGAS_OIDC_RESOURCE: AUDIENCE,
  })
  expect(await authorizationOf(decorator)).toMatch(/^Bearer ey/)
})

test('a signed assertion is valid for a provider whose clock is 25 s behind and allows for nothing', async () => {
  const assertions: string[] = []
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: idp.tokenEndpoint,
    clientId: 'key-client',
    privateKeyFile: await file('ahead.jwk', JSON.stringify({ ...idp.clientKeyJwk, kid: 'client-key' })),
    resource: AUDIENCE,
    fetch: (url, request) => {
      assertions.push(new URLSearchParams(request.body ?? '').get('client_assertion') ?? '')
      return fetch(url, request)
    },
  })
  expect(await authorizationOf(decorator)).toMatch(/^Bearer ey/)
  const { d: _, ...publicJwk } = idp.clientKeyJwk as JWK
  const behind = { currentDate: new Date(Date.now() - 25_000), clockTolerance: 0, maxTokenAge: 120 }
  const { payload } = await jwtVerify(assertions[0]!, await importJWK(publicJwk, 'ES256'), behind)
  expect(payload).toMatchObject({ iss: 'key-client', sub: 'key-client', jti: expect.any(String) })
})

test('a private key that the provider does not know is refused in clear words', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const warnings: string[] = []
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: idp.tokenEndpoint,
    clientId: 'key-client',
    privateKeyFile: await file(
      'stranger.pem',
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ),
    warn: (message) => warnings.push(message),
  })
  const error = await rejection(authorizationOf(decorator))
  expect(error).toMatchObject({ code: 'ERR_TELEMETRY_UNAVAILABLE', refused: true })
  expect(warnings).toEqual([expect.stringContaining('invalid_client')])
})

test('a client assertion in a file is sent as it is now: each token has the newest', async () => {
  const sign = (jti: string): Promise<string> =>
    new SignJWT({ jti })
      .setProtectedHeader({ alg: 'ES256', kid: 'client-key' })
      .setIssuer('key-client')
      .setSubject('key-client')
      .setAudience(idp.issuer)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(idp.clientKey)
  const clientAssertionFile = await file('assertion', `${await sign('one')}\n`)
  const clock = new TestClock()
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: idp.tokenEndpoint,
    clientId: 'key-client',
    clientAssertionFile,
    resource: AUDIENCE,
    now: clock.now,
  })
  const first = await authorizationOf(decorator)
  await writeFile(clientAssertionFile, await sign('two')) // the provider takes an assertion only once
  clock.advance(400_000)
  expect(await authorizationOf(decorator)).not.toBe(first)
})

test('100 concurrent uploads make one token request; a revoked token makes one more and every upload arrives', async () => {
  await using server = await startUploadServer(idp)
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: idp.tokenEndpoint,
    clientId: 'post-client',
    clientSecret: 'first-secret',
    resource: AUDIENCE,
  })
  const before = idp.tokenRequests
  const all = await Promise.all(Array.from({ length: 100 }, () => upload(decorator, server.url)))
  expect(all.flat()).toEqual(Array.from({ length: 100 }, () => 200))
  expect(idp.tokenRequests - before).toBe(1)

  server.revoke((await authorizationOf(decorator)) ?? '')
  const again = await Promise.all(Array.from({ length: 50 }, () => upload(decorator, server.url)))
  expect(again.every((statuses) => statuses.at(-1) === 200)).toBe(true)
  expect(server.rejected).toBeGreaterThanOrEqual(1)
  expect(idp.tokenRequests - before).toBe(2)
})

test('a secret that is wrong with Basic, where the answer is a challenge, is told with the code of the provider', async () => {
  const warnings: string[] = []
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: idp.tokenEndpoint,
    clientId: 'basic-client',
    clientSecret: 'not-the-secret',
    authMethod: 'client_secret_basic',
    warn: (message) => warnings.push(message),
  })
  const error = await rejection(authorizationOf(decorator))
  expect(error).toMatchObject({ name: 'CredentialsUnavailableError', refused: true })
  expect(String(error)).toContain('HTTP 401, invalid_client')
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).not.toContain('not-the-secret')
})

test('a scope that the client may not have is a refusal', async () => {
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: idp.tokenEndpoint,
    clientId: 'post-client',
    clientSecret: 'first-secret',
    scope: 'admin',
    warn: () => {},
  })
  const error = await rejection(authorizationOf(decorator))
  expect(error).toMatchObject({ refused: true })
  expect(String(error)).toContain('invalid_scope')
})

test('a rotated secret in a file is used for the next token, and a wrong one heals within the file check', async () => {
  await using rotating = await startIdentityProvider({ secret: 'old-secret' })
  const clientSecretFile = await file('client-secret', 'old-secret\n')
  const clock = new TestClock()
  const warnings: string[] = []
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: rotating.tokenEndpoint,
    clientId: 'post-client',
    clientSecretFile,
    resource: AUDIENCE,
    now: clock.now,
    warn: (message) => warnings.push(message),
  })
  await authorizationOf(decorator)

  rotating.setSecret('new-secret')
  await writeFile(clientSecretFile, 'new-secret\n')
  clock.advance(400_000)
  await authorizationOf(decorator)
  expect(warnings).toEqual([])

  rotating.setSecret('newest-secret')
  clock.advance(400_000)
  const error = await rejection(authorizationOf(decorator))
  expect(error).toMatchObject({ refused: true, retryAfterMs: 30_000 })
  const asked = rotating.tokenRequests
  await rejection(authorizationOf(decorator))
  expect(rotating.tokenRequests).toBe(asked) // the file is as it was: the provider is left alone

  await writeFile(clientSecretFile, 'newest-secret\n')
  expect(await authorizationOf(decorator)).toMatch(/^Bearer ey/)
  expect(warnings).toEqual([
    expect.stringContaining('invalid_client'),
    'micromegas: the identity provider issues tokens again; uploads go on',
  ])
})
