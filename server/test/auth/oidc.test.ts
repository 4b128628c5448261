import { createHmac } from 'node:crypto'
import { exportSPKI, importJWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { proxiedFetch } from '../../../src/http/proxy/proxied-fetch.ts'
import {
  AUDIENCE as PROVIDER_AUDIENCE,
  startIdentityProvider,
} from '../../../test/auth/support/identity-provider.ts'
import { PROCESS_CBOR } from '../../../test/telemetry/worked-examples.ts'
import { OidcVerifier } from '../../src/auth/oidc-verifier.ts'
import { AUDIENCE, type Issuer, type SigningKey, signingKey, startIssuer } from '../support/issuer.ts'
import { getJson, insert, post, send, startServer } from '../support/server.ts'

let rsa: SigningKey
let rotated: SigningKey
let stranger: SigningKey
beforeAll(async () => {
  rsa = await signingKey('one')
  rotated = await signingKey('two')
  stranger = await signingKey('one')
})

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const oidcOf = (...issuers: Issuer[]) => ({
  issuers: issuers.map(({ issuer }) => ({ issuer, audience: AUDIENCE })),
})

async function statusOf(server: { readonly url: string }, token: string): Promise<number> {
  return (await post(server, 'process', PROCESS_CBOR, bearer(token))).status
}

test('a token that a real OpenID provider issued for client credentials is accepted', async () => {
  await using provider = await startIdentityProvider()
  await using server = await startServer({
    oidc: { issuers: [{ issuer: provider.issuer, audience: PROVIDER_AUDIENCE }] },
  })
  const response = await fetch(provider.tokenEndpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'post-client',
      client_secret: 'first-secret',
      resource: PROVIDER_AUDIENCE,
    }),
  })
  const { access_token: token } = (await response.json()) as { access_token: string }
  expect(await statusOf(server, token)).toBe(200)
  const who = await getJson(server, '/api/whoami', bearer(token))
  expect(who).toMatchObject({
    method: 'oidc',
    subject: 'post-client',
    issuer: provider.issuer,
    audience: PROVIDER_AUDIENCE,
    admin: false,
  })
  expect(await statusOf(server, `${token.slice(0, -6)}AAAAAA`)).toBe(401)
})

describe('refused with 401', () => {
  const cases: readonly [string, (issuer: Issuer) => Promise<string>][] = [
    ['a token for another audience', (issuer) => issuer.token(rsa, { aud: 'https://elsewhere.test' })],
    ['a token for no audience', (issuer) => issuer.token(rsa, { aud: undefined })],
    [
      'a token of an issuer that is not configured',
      (issuer) => issuer.token(rsa, { iss: 'https://elsewhere.test' }),
    ],
    ['a token without issuer', (issuer) => issuer.token(rsa, { iss: undefined })],
    ['an expired token', (issuer) => issuer.token(rsa, { exp: Math.floor(Date.now() / 1000) - 10 })],
    ['a token that never expires', (issuer) => issuer.token(rsa, { exp: undefined })],
    [
      'a token that is not valid yet',
      (issuer) => issuer.token(rsa, { nbf: Math.floor(Date.now() / 1000) + 60 }),
    ],
    ['a token of nobody', (issuer) => issuer.token(rsa, { sub: undefined })],
    ['a token signed with another key of the same id', (issuer) => issuer.token(stranger)],
    ['a token with a changed payload', async (issuer) => tampered(await issuer.token(rsa))],
    ['an unsigned token (alg none)', async (issuer) => unsigned(await issuer.token(rsa))],
    ['a token with HS256 and the public key as secret', async (issuer) => symmetric(await issuer.token(rsa))],
    [
      'a token with an extension that is not understood',
      (issuer) => issuer.token(rsa, {}, { crit: ['ext'], ext: 1 }),
    ],
    ['text that is no token', async () => 'not.a.token-at-all'],
  ]
  test.for(cases)('%s', async ([, make]) => {
    await using issuer = await startIssuer(rsa)
    await using server = await startServer({ oidc: oidcOf(issuer) })
    expect(await statusOf(server, await issuer.token(rsa))).toBe(200)
    const token = await make(issuer)
    const answer = await post(server, 'process', PROCESS_CBOR, bearer(token))
    expect([answer.status, answer.text]).toEqual([401, 'Invalid token'])
    expect(JSON.stringify(server.events)).not.toContain(token.split('.')[2] || 'never')
  })
})

describe('accepted', () => {
  test.for(['RS384', 'PS256', 'ES256', 'Ed25519'])('a token signed with %s', async (alg) => {
    const key = await signingKey('other', alg)
    await using issuer = await startIssuer(key)
    await using server = await startServer({ oidc: oidcOf(issuer) })
    expect(await statusOf(server, await issuer.token(key))).toBe(200)
  })

  test('a token among whose audiences is the configured one', async () => {
    await using issuer = await startIssuer(rsa)
    await using server = await startServer({ oidc: oidcOf(issuer) })
    expect(
      await statusOf(server, await issuer.token(rsa, { aud: ['https://elsewhere.test', AUDIENCE] })),
    ).toBe(200)
  })

  test('a token without key id, by whichever of the keys fits', async () => {
    await using issuer = await startIssuer(rotated, rsa)
    await using server = await startServer({ oidc: oidcOf(issuer) })
    expect(await statusOf(server, await issuer.token(rsa, {}, { kid: undefined }))).toBe(200)
    expect(await statusOf(server, await issuer.token(stranger, {}, { kid: undefined }))).toBe(401)
  })

  test('tokens of several issuers, and several audiences of one, each with its own keys', async () => {
    await using one = await startIssuer(rsa)
    await using two = await startIssuer(rotated)
    const issuers = [
      { issuer: one.issuer, audience: AUDIENCE },
      { issuer: one.issuer, audience: 'client-id' },
      { issuer: two.issuer, audience: 'two' },
    ]
    await using server = await startServer({ oidc: { issuers } })
    expect(await statusOf(server, await one.token(rsa))).toBe(200)
    expect(await statusOf(server, await one.token(rsa, { aud: 'client-id' }))).toBe(200)
    expect(await statusOf(server, await two.token(rotated, { aud: 'two' }))).toBe(200)
    expect(await statusOf(server, await two.token(rotated))).toBe(401)
    expect(await statusOf(server, await two.token(rsa, { aud: 'two', iss: two.issuer }))).toBe(401)
  })

  test('an API key beside OIDC, and it asks no issuer', async () => {
    await using issuer = await startIssuer(rsa)
    issuer.fault = (_request, response) => {
      response.writeHead(500).end()
      return true
    }
    await using server = await startServer({
      oidc: oidcOf(issuer),
      apiKeys: [{ name: 'ci', key: 'mmk_key' }],
    })
    expect(await statusOf(server, 'mmk_key')).toBe(200)
    expect(await statusOf(server, 'mmk_wrong')).toBe(401)
  })
})

describe('admins', () => {
  const claims: readonly [string, Record<string, unknown>, boolean][] = [
    ['by subject', { sub: 'alice' }, true],
    ['by address', { email: 'alice@example.com', email_verified: true }, true],
    ['by an address verified in words', { email: 'alice@example.com', email_verified: 'true' }, true],
    ['not by an address the provider says nothing about', { email: 'alice@example.com' }, false],
    ...[false, 'false', 'True', 'yes', 1, null, {}, [true]].map(
      (verified): [string, Record<string, unknown>, boolean] => [
        `not by an address verified with ${JSON.stringify(verified)}`,
        { email: 'alice@example.com', email_verified: verified },
        false,
      ],
    ),
    ['by the verified address of Entra ID', { verified_primary_email: ['alice@example.com'] }, true],
    [
      'by an address verified beside another one',
      { 'https://micromegas.io/email': 'alice@example.com', email_verified: true },
      true,
    ],
    ['not in another case', { sub: 'Alice', email: 'ALICE@example.com', email_verified: true }, false],
    ['not by a lookalike', { email: 'al\u0131ce@example.com', email_verified: true }, false],
    ['not by a list of addresses', { email: ['alice@example.com'], email_verified: true }, false],
    ['not by a name users may choose', { preferred_username: 'alice@example.com' }, false],
    ['not when they are somebody else', { sub: 'alice2', email: 'bob@example.com' }, false],
  ]
  test.for(claims)('are known %s', async ([, extra, admin]) => {
    await using issuer = await startIssuer(rsa)
    await using server = await startServer({ oidc: oidcOf(issuer), admins: ['alice', 'alice@example.com'] })
    const headers = bearer(await issuer.token(rsa, extra))
    expect((await getJson(server, '/api/whoami', headers)).admin).toBe(admin)
  })

  test('are known by an address the provider says nothing about where the operator trusts its addresses', async () => {
    await using issuer = await startIssuer(rsa)
    const issuers = [{ issuer: issuer.issuer, audience: AUDIENCE, trustEmail: true }]
    await using server = await startServer({ oidc: { issuers }, admins: ['alice@example.com'] })
    const isAdmin = async (claims: Record<string, unknown>): Promise<boolean> =>
      (await getJson(server, '/api/whoami', bearer(await issuer.token(rsa, claims)))).admin
    expect(await isAdmin({ email: 'alice@example.com' })).toBe(true)
    for (const email_verified of [false, 'false', null, 0, '']) {
      expect([email_verified, await isAdmin({ email: 'alice@example.com', email_verified })]).toEqual([
        email_verified,
        false,
      ])
    }
    expect(await isAdmin({ preferred_username: 'alice@example.com' })).toBe(false)
  })

  test('can be bound to an issuer; those that two issuers could name are told at start', async () => {
    await using one = await startIssuer(rsa)
    await using two = await startIssuer(rotated)
    const bound = [
      { issuer: one.issuer, subject: 'alice' },
      { issuer: one.issuer, email: 'bob@example.com' },
    ]
    await using server = await startServer({ oidc: oidcOf(one, two), admins: bound })
    const isAdmin = async (token: Promise<string>): Promise<boolean> =>
      (await getJson(server, '/api/whoami', bearer(await token))).admin
    const bob = { email: 'bob@example.com', email_verified: true }
    expect(await isAdmin(one.token(rsa, { sub: 'alice' }))).toBe(true)
    expect(await isAdmin(two.token(rotated, { sub: 'alice' }))).toBe(false)
    expect(await isAdmin(one.token(rsa, bob))).toBe(true)
    expect(await isAdmin(two.token(rotated, bob))).toBe(false)
    expect(await isAdmin(one.token(rsa, { sub: 'bob@example.com' }))).toBe(false)
    expect(server.reasons()).toEqual([])

    await using bare = await startServer({ oidc: oidcOf(one, two), admins: ['alice', ...bound] })
    expect(bare.reasons()).toEqual([
      `each of the 2 issuers can make an admin of "alice": name the issuer with {"issuer":"${one.issuer}","subject":"…"} (or email)`,
    ])
    await using single = await startServer({ oidc: oidcOf(one, one), admins: ['alice'] })
    expect(single.reasons()).toEqual([])
  })

  test('may delete a process with its data; others may not', async () => {
    await using issuer = await startIssuer(rsa)
    await using server = await startServer({ oidc: oidcOf(issuer), admins: ['alice'] })
    const admin = bearer(await issuer.token(rsa, { sub: 'alice' }))
    const user = bearer(await issuer.token(rsa))
    await post(server, 'process', PROCESS_CBOR, user)
    const path = '/api/processes/00000000-0000-4000-8000-000000000001'
    expect((await send(server.url, path, { method: 'DELETE', headers: user })).status).toBe(403)
    expect((await send(server.url, path, { method: 'DELETE', headers: admin })).status).toBe(200)
    expect((await send(server.url, path, { method: 'DELETE', headers: admin })).status).toBe(404)
    expect((await getJson(server, '/api/processes', user)).rows).toEqual([])
  })
})

describe("the issuer's keys", () => {
  test('a token signed with a new key is accepted at once, unknown key ids cost one more fetch in all', async () => {
    await using issuer = await startIssuer(rsa)
    await using server = await startServer({ oidc: oidcOf(issuer) })
    expect(await statusOf(server, await issuer.token(rsa))).toBe(200)
    expect(issuer.keyRequests).toBe(1)
    issuer.keys = [rotated.publicJwk]
    expect(await statusOf(server, await issuer.token(rotated))).toBe(200)
    expect(issuer.keyRequests).toBe(2)
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, i) => issuer.token(rsa, {}, { kid: `made-up-${i}` })),
    )
    const statuses = await Promise.all(tokens.map((token) => statusOf(server, token)))
    expect(new Set(statuses)).toEqual(new Set([401]))
    expect(issuer.keyRequests).toBe(2)
  })

  test('are fetched once for any number of first requests', async () => {
    await using issuer = await startIssuer(rsa)
    await using server = await startServer({ oidc: oidcOf(issuer) })
    const tokens = await Promise.all(
      Array.from({ length: 30 }, (_, i) => issuer.token(rsa, { sub: `s${i}` })),
    )
    const statuses = await Promise.all(tokens.map((token) => statusOf(server, token)))
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(issuer.keyRequests).toBe(1)
  })

  const faults: readonly [string, NonNullable<Issuer['fault']>][] = [
    ['answers 500', (_request, response) => Boolean(response.writeHead(500).end())],
    ['resets the connection', (request) => Boolean(request.socket.destroy())],
    ['answers with HTML', (_request, response) => Boolean(response.end('<html>'))],
    ['answers with a list', (_request, response) => Boolean(response.end('[]'))],
    ['redirects', (_request, response) => Boolean(response.writeHead(302, { location: '/jwks2' }).end())],
    ['answers with 2 MB', (_request, response) => Boolean(response.end(`{"x":"${'y'.repeat(2e6)}"}`))],
    [
      'names another issuer',
      (_request, response) => Boolean(response.end('{"issuer":"https://elsewhere.test"}')),
    ],
    [
      'publishes no keys',
      (request, response) => request.url === '/jwks' && Boolean(response.end('{"keys":"none"}')),
    ],
    [
      'cuts its answer short',
      (_request, response) => {
        response.writeHead(200, { 'content-length': 1000 })
        response.write('{"issuer"')
        setImmediate(() => response.socket?.destroy())
        return true
      },
    ],
  ]
  test.for(faults)('that cannot be had are 503: the issuer %s', async ([, fault]) => {
    await using issuer = await startIssuer(rsa)
    issuer.fault = fault
    await using server = await startServer({ oidc: oidcOf(issuer) })
    const answer = await post(server, 'process', PROCESS_CBOR, bearer(await issuer.token(rsa)))
    expect([answer.status, answer.text]).toEqual([503, 'Auth provider unavailable'])
    expect(
      server.reasons().some((reason) => reason.includes(`cannot get the keys of ${issuer.issuer}`)),
    ).toBe(true)
  })

  test('of an issuer that is not there are 503 until it is, and then 200', async () => {
    await using issuer = await startIssuer(rsa)
    let isDown = true
    issuer.fault = (request) => isDown && Boolean(request.socket.destroy())
    await using server = await startServer({ oidc: oidcOf(issuer) })
    const token = await issuer.token(rsa)
    expect(await statusOf(server, token)).toBe(503)
    isDown = false
    await expect.poll(() => statusOf(server, token), { timeout: 5_000 }).toBe(200)
  })

  test('an API key that does not match is 503 while the issuer cannot be asked about it only if it is a token', async () => {
    await using issuer = await startIssuer(rsa)
    issuer.fault = (request) => Boolean(request.socket.destroy())
    await using server = await startServer({
      oidc: oidcOf(issuer),
      apiKeys: [{ name: 'ci', key: 'mmk_key' }],
    })
    expect(await statusOf(server, 'mmk_other')).toBe(401)
    expect(await statusOf(server, await issuer.token(rsa))).toBe(503)
  })
})

describe('with the clock in hand', () => {
  function verifier(issuer: Issuer, changes: Partial<ConstructorParameters<typeof OidcVerifier>[0]> = {}) {
    const clock = { ms: 0, wallMs: Date.now() }
    const advance = (ms: number): void => {
      clock.ms += ms
      clock.wallMs += ms
    }
    const oidc = new OidcVerifier({
      ...oidcOf(issuer),
      jwksRefreshIntervalSeconds: 3600,
      tokenCacheSize: 2,
      tokenCacheTtlSeconds: 300,
      admins: [],
      warn: () => undefined,
      fetch: proxiedFetch({}, () => undefined),
      signal: new AbortController().signal,
      clock: () => clock.ms,
      wallClock: () => clock.wallMs,
      ...changes,
    })
    return { oidc, advance }
  }

  test('a token is trusted from the cache until its time there or its own life is over', async () => {
    await using issuer = await startIssuer(rsa)
    const { oidc, advance } = verifier(issuer)
    const soon = Math.floor(Date.now() / 1000)
    const long = await issuer.token(rsa, { sub: 'long', exp: soon + 3000 })
    const short = await issuer.token(rsa, { sub: 'short', exp: soon + 100 })
    expect([await oidc.verify(long), await oidc.verify(short)]).toMatchObject([{ ok: true }, { ok: true }])
    // The key is gone: only what is cached is still accepted.
    issuer.keys = []
    await oidc.verify(await issuer.token(rotated))
    expect([await oidc.verify(long), await oidc.verify(short)]).toMatchObject([{ ok: true }, { ok: true }])
    advance(106_000)
    expect([await oidc.verify(long), await oidc.verify(short)]).toMatchObject([{ ok: true }, { status: 401 }])
    advance(200_000)
    expect(await oidc.verify(long)).toMatchObject({ ok: false, status: 401 })
  })

  test('the cache holds no more tokens than it may, and none with size 0', async () => {
    await using issuer = await startIssuer(rsa)
    const none = verifier(issuer, { tokenCacheSize: 0 }).oidc
    const two = verifier(issuer).oidc
    const tokens = await Promise.all(['a', 'b', 'c'].map((sub) => issuer.token(rsa, { sub })))
    for (const token of tokens) for (const oidc of [none, two]) await oidc.verify(token)
    issuer.keys = []
    for (const oidc of [none, two]) await oidc.verify(await issuer.token(rotated))
    const kept = async (oidc: OidcVerifier) =>
      (await Promise.all(tokens.map((token) => oidc.verify(token)))).map(({ ok }) => ok)
    expect(await kept(none)).toEqual([false, false, false])
    expect(await kept(two)).toEqual([false, true, true])
  })

  test('unknown key ids are looked for once in 30 s', async () => {
    await using issuer = await startIssuer(rsa)
    const { oidc, advance } = verifier(issuer)
    await oidc.verify(await issuer.token(rsa))
    const unknown = await issuer.token(rotated)
    for (let i = 0; i < 5; i++) expect(await oidc.verify(unknown)).toMatchObject({ status: 401 })
    expect(issuer.keyRequests).toBe(2)
    advance(29_999)
    await oidc.verify(unknown)
    expect(issuer.keyRequests).toBe(2)
    advance(1)
    await oidc.verify(unknown)
    expect(issuer.keyRequests).toBe(3)
  })

  test('keys are refreshed after the interval; those at hand serve for one more when that fails', async () => {
    await using issuer = await startIssuer(rsa)
    const { oidc, advance } = verifier(issuer, { tokenCacheSize: 0 })
    const token = await issuer.token(rsa, { exp: Math.floor(Date.now() / 1000) + 100_000 })
    await oidc.verify(token)
    advance(3_600_000)
    issuer.fault = (request) => Boolean(request.socket.destroy())
    expect(await oidc.verify(token)).toMatchObject({ ok: true })
    advance(3_599_000)
    expect(await oidc.verify(token)).toMatchObject({ ok: true })
    advance(1_000)
    expect(await oidc.verify(token)).toMatchObject({ ok: false, status: 503 })
    issuer.fault = undefined
    advance(30_000)
    expect(await oidc.verify(token)).toMatchObject({ ok: true })
  })

  test('an issuer that is down is asked after 1 s, 2 s, 4 s, up to every 30 s, however many tokens come', async () => {
    await using issuer = await startIssuer(rsa)
    let attempts = 0
    issuer.fault = (request) => {
      attempts++
      return Boolean(request.socket.destroy())
    }
    const { oidc, advance } = verifier(issuer)
    const token = await issuer.token(rsa)
    const seen: number[] = []
    for (let second = 0; second <= 100; second++) {
      const before = attempts
      for (let i = 0; i < 3; i++) expect(await oidc.verify(token)).toMatchObject({ status: 503 })
      if (attempts > before) seen.push(second)
      advance(1000)
    }
    // fetch may ask a second time when a kept connection turns out closed, but only when it is time to ask at all.
    expect(seen).toEqual([0, 1, 3, 7, 15, 31, 61, 91])
  })
})

test('an issuer that is down when the server starts is said at once, and keeps nothing from starting', async () => {
  await using server = await startServer({
    oidc: { issuers: [{ issuer: 'http://127.0.0.1:1', audience: 'a' }] },
    apiKeys: [{ name: 'ci', key: 'mmk_key' }],
  })
  await expect.poll(() => server.reasons().join()).toContain('cannot get the keys of http://127.0.0.1:1')
  expect(await statusOf(server, 'mmk_key')).toBe(200)
  await expect(insert(server, 'process', PROCESS_CBOR)).rejects.toThrow('401')
})

function tampered(token: string): string {
  const [header, payload, signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString())
  const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody-else' })).toString('base64url')
  return `${header}.${changed}.${signature}`
}

function unsigned(token: string): string {
  const header = Buffer.from('{"alg":"none"}').toString('base64url')
  return `${header}.${token.split('.')[1]}.`
}

async function symmetric(token: string): Promise<string> {
  const header = Buffer.from('{"alg":"HS256","kid":"one"}').toString('base64url')
  const head = `${header}.${token.split('.')[1]}`
  const pem = await exportSPKI(
    (await importJWK(rsa.publicJwk, 'RS256', { extractable: true })) as SigningKey['privateKey'],
  )
  return `${head}.${createHmac('sha256', pem).update(head).digest('base64url')}`
}
