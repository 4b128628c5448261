import { createHmac, generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { proxiedFetch } from '../../../src/http/proxy/proxied-fetch.ts'
import { OidcVerifier, type OidcVerifierOptions } from '../../src/auth/oidc-verifier.ts'
import {
  AUDIENCE,
  type Issuer,
  type SigningKey,
  signedText,
  signingKey,
  startIssuer,
} from '../support/issuer.ts'
import { getJson, send, startServer } from '../support/server.ts'

let rsa: SigningKey
let ec: SigningKey
let issuer: Issuer
let oidc: OidcVerifier
const warnings: string[] = []

function verifierOf(options: Partial<OidcVerifierOptions> = {}): OidcVerifier {
  return new OidcVerifier({
    issuers: [{ issuer: issuer.issuer, audience: AUDIENCE }],
    jwksRefreshIntervalSeconds: 3600,
    tokenCacheSize: 0,
    tokenCacheTtlSeconds: 0,
    admins: ['null', 'alice', '[object Object]', '0', 'true'],
    warn: (message) => warnings.push(message),
    fetch: proxiedFetch({}, () => undefined),
    signal: new AbortController().signal,
    clock: () => performance.now(),
    wallClock: Date.now,
    ...options,
  })
}

beforeAll(async () => {
  rsa = await signingKey('one')
  ec = await signingKey('curve', 'ES256')
  issuer = await startIssuer(rsa, ec)
  oidc = verifierOf()
})
afterAll(() => issuer[Symbol.asyncDispose]())

const claims = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: issuer.issuer,
  aud: AUDIENCE,
  sub: 'service',
  exp: Math.floor(Date.now() / 1000) + 60,
  ...more,
})
/** A token with those claims, as they stand in JSON. */
const token = (more: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> =>
  signedText(rsa, JSON.stringify(claims(more)), header)
/** The same with a piece of JSON at the end of the claims, which JavaScript could not write. */
const tokenWith = (json: string): Promise<string> =>
  signedText(rsa, `${JSON.stringify(claims()).slice(0, -1)},${json}}`)
const now = (): number => Date.now() / 1000

describe('claims that no access or ID token has are refused with 401', () => {
  const cases: readonly [string, () => Promise<string>][] = [
    ...[null, {}, ['alice'], '', 0, true, [[]]].map((sub): [string, () => Promise<string>] => [
      `sub ${JSON.stringify(sub)}`,
      () => token({ sub }),
    ]),
    ...['1e15', '1e400', '-1e400', '"soon"', 'null', '[9999999999]', 'true', '8640000000001'].flatMap(
      (time) =>
        ['exp', 'nbf', 'iat'].map((name): [string, () => Promise<string>] => [
          `${name} ${time}`,
          () => tokenWith(`"${name}":${time}`),
        ]),
    ),
    ['aud with a number beside the audience', () => token({ aud: [AUDIENCE, 5] })],
    ['aud with null beside the audience', () => token({ aud: [null, AUDIENCE] })],
    ['aud with a list in the list', () => token({ aud: [[AUDIENCE]] })],
    ['aud as an object', () => token({ aud: { 0: AUDIENCE, length: 1 } })],
    ['aud as an empty list', () => token({ aud: [] })],
    ['aud with more text around it', () => token({ aud: `${AUDIENCE}/` })],
    ['aud with the audiences in one text', () => token({ aud: `x ${AUDIENCE}` })],
    ['iss with a slash more', () => token({ iss: `${issuer.issuer}/` })],
    ['iss in capitals', () => token({ iss: issuer.issuer.toUpperCase() })],
    ['iss as a list', () => token({ iss: [issuer.issuer] })],
    ['iss as an object', () => token({ iss: { toString: issuer.issuer } })],
    ['cnf', () => token({ cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } })],
    ['an empty cnf', () => token({ cnf: null })],
    [
      'the events of a logout token',
      () => token({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
    ],
    ...['Refresh', 'Offline', 'Logout', 'Serialized-ID'].map((typ): [string, () => Promise<string>] => [
      `typ ${typ} as a claim`,
      () => token({ typ }),
    ]),
    ['the issuer twice, the second one foreign', () => tokenWith('"iss":"https://elsewhere.test"')],
    ['claims that are a list', () => signedText(rsa, JSON.stringify([claims()]))],
    ['claims that are no JSON', () => signedText(rsa, 'claims')],
    ['claims that are not UTF-8', () => signedText(rsa, Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'))],
  ]
  test.for(cases)('%s', async ([, make]) => {
    expect(await oidc.verify(await make())).toMatchObject({ ok: false, status: 401 })
  })
})

describe('headers that no access or ID token has are refused with 401', () => {
  const cases: readonly [string, () => Promise<string>][] = [
    ...[
      'logout+jwt',
      'dpop+jwt',
      'secevent+jwt',
      'application/logout+jwt',
      'LOGOUT+JWT',
      '',
      ' JWT',
      5,
      null,
      ['JWT'],
    ].map((typ): [string, () => Promise<string>] => [`typ ${JSON.stringify(typ)}`, () => token({}, { typ })]),
    ...[5, null, ['one'], { kid: 'one' }].map((kid): [string, () => Promise<string>] => [
      `kid ${JSON.stringify(kid)}`,
      () => raw({ kid }),
    ]),
    ...['none', 'None', 'HS256', 'RS256 ', 'rs256', 5, null, ['RS256']].map(
      (alg): [string, () => Promise<string>] => [`alg ${JSON.stringify(alg)}`, () => raw({ alg })],
    ),
    ['an unencoded payload (b64)', () => raw({ b64: false, crit: ['b64'] })],
    ['an empty crit', () => raw({ crit: [] })],
    ['crit that names a known header', () => raw({ crit: ['alg'] })],
    [
      'a signature made with the public key as a secret',
      async () => {
        const head = `${encoded({ alg: 'HS256', kid: 'one' })}.${encoded(claims())}`
        const secret = JSON.stringify(rsa.publicJwk)
        return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`
      },
    ],
    [
      'a key of its own',
      async () => {
        const own = await signingKey('own')
        return signedText(own, JSON.stringify(claims()), { jwk: own.publicJwk, kid: undefined })
      },
    ],
    [
      'the algorithm of another key',
      async () => {
        const [, payload, signature] = (await token()).split('.')
        return `${encoded({ alg: 'ES256', kid: 'curve' })}.${payload}.${signature}`
      },
    ],
    ['an encrypted token (JWE)', async () => `${encoded({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`],
    [
      'an encrypted token that says it is signed',
      async () => `${encoded({ alg: 'RS256', kid: 'one' })}.a.b.c.d`,
    ],
    ['a token without its signature', async () => (await token()).replace(/\.[^.]*$/, '.')],
    ['a token with padding', async () => `${await token()}=`],
    ['a token in two pieces', async () => (await token()).slice(0, (await token()).lastIndexOf('.'))],
    ['a header that is no object', async () => `${encoded([])}.${encoded(claims())}.${'A'.repeat(342)}`],
    ['a header named like a prototype', () => raw({ ['__proto__']: { alg: 'RS256' }, alg: undefined })],
    ['a token of 100 kB', () => token({ roles: 'x'.repeat(100_000) })],
  ]
  test.for(cases)('%s', async ([, make]) => {
    expect(await oidc.verify(await make())).toMatchObject({ ok: false, status: 401 })
  })

  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  /** A good signature under a header that the library would not write. */
  async function raw(header: Record<string, unknown>): Promise<string> {
    const { subtle } = globalThis.crypto
    const head = `${encoded({ alg: 'RS256', kid: 'one', ...header })}.${encoded(claims())}`
    const signature = await subtle.sign('RSASSA-PKCS1-v1_5', rsa.privateKey, Buffer.from(head))
    return `${head}.${Buffer.from(signature).toString('base64url')}`
  }
})

describe('accepted is', () => {
  const cases: readonly [string, () => Promise<string>][] = [
    ...['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'application/JWT', 'JOSE'].map(
      (typ): [string, () => Promise<string>] => [`typ ${typ}`, () => token({}, { typ })],
    ),
    ['no typ, no kid', () => token({}, { kid: undefined })],
    [
      'an expiry in fractions of a second',
      () => token({ exp: now() + 30.5, nbf: now() - 1.5, iat: now() - 0.5 }),
    ],
    ['an expiry in the year 9999', () => token({ exp: 253_402_300_799 })],
    ['the last second of all', () => token({ exp: 8.64e12, iat: 0, nbf: -8.64e12 })],
    ['several audiences', () => token({ aud: ['x', AUDIENCE, 'y'] })],
    ['a claim typ that Keycloak gives', () => token({ typ: 'Bearer' })],
    [
      'claims with objects in them',
      () => token({ realm_access: { roles: ['a', { b: null }] }, act: { sub: 'x' } }),
    ],
    [
      'claims named like members of objects',
      () => token({ ['__proto__']: 1, constructor: 'x', hasOwnProperty: 2 }),
    ],
  ]
  test.for(cases)('%s', async ([, make]) => {
    expect(await oidc.verify(await make())).toMatchObject({ ok: true })
  })

  test('of a claim that is there twice, the last one, everywhere', async () => {
    const twice = await tokenWith('"sub":"alice","email":"a@x.test","email":"b@x.test"')
    expect(await oidc.verify(twice)).toMatchObject({
      ok: true,
      identity: { subject: 'alice', email: 'b@x.test', admin: true },
    })
  })
})

test('a token that expires when no clock can be is 401 at every route, never 500', async () => {
  await using server = await startServer({
    oidc: { issuers: [{ issuer: issuer.issuer, audience: AUDIENCE }] },
  })
  const who = async (exp: string) =>
    send(server.url, '/api/whoami', {
      headers: { authorization: `Bearer ${await tokenWith(`"exp":${exp}`)}` },
    })
  for (const exp of ['1e15', '1e400', '8640000000000.5']) expect((await who(exp)).status).toBe(401)
  expect(await who('8640000000000')).toMatchObject({
    status: 200,
    text: expect.stringContaining('+275760-09-13'),
  })
})

test('what a token claims is short in what is told about it', async () => {
  for (const claim of [{ iss: 'x'.repeat(8_000) }, { typ: 'refresh' }]) {
    const outcome = await oidc.verify(await token(claim))
    expect(outcome.ok ? '' : outcome.reason).toMatch(/^.{10,300}$/)
  }
})

test('no text of any kind is anything but 401', async () => {
  let seed = 7
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed % below
  }
  const good = await token()
  for (let i = 0; i < 500; i++) {
    const bytes = Buffer.from(good)
    for (let changes = 1 + random(4); changes > 0; changes--) bytes[random(bytes.length)] = 33 + random(90)
    const text = bytes.toString('latin1').slice(0, random(5) === 0 ? random(good.length) : good.length)
    if (text === good) continue
    const outcome = await oidc.verify(text)
    // The last character of a signature holds bits that count for nothing.
    if (outcome.ok) expect(text.slice(0, -1)).toBe(good.slice(0, -1))
    else expect([text, outcome.status]).toEqual([text, 401])
  }
})

describe("keys in an issuer's set that cannot be used", () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  const odd: readonly [string, unknown][] = [
    ['an RSA key of 1024 bits', { ...short, kid: 'short', use: 'sig', alg: 'RS256' }],
    ['null', null],
    ['a text', 'key'],
    ['a number', 5],
    ['a list', []],
    ['an empty object', {}],
    ['a type that nobody knows', { kty: 'XYZ', kid: 'x' }],
    ['a type that is no text', { kty: 5 }],
    ['a curve that nobody knows', { kty: 'EC', crv: 'P-999', x: 'AA', y: 'AA' }],
    ['a point that is not on its curve', { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }],
    ['an RSA key without its modulus', { kty: 'RSA', e: 'AQAB', kid: 'empty' }],
    ['a modulus that is no text', { kty: 'RSA', e: 'AQAB', n: 5 }],
    ['a shared secret', { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }],
    ['an algorithm that does not fit its type', { ...short, alg: 'ES256' }],
    ['an algorithm of a shared secret', { ...short, alg: 'HS256' }],
    ['a kid that is no text', { ...short, kid: 5 }],
    ['a key named like a prototype', { kty: 'constructor', crv: '__proto__' }],
  ]
  test.for(odd)('%s: passed over, told once, and tokens without kid are accepted', async ([, key]) => {
    await using own = await startIssuer(rsa)
    own.keys = [key as never, ...own.keys, ec.publicJwk]
    const told: string[] = []
    const clock = { ms: 0 }
    const verifier = verifierOf({
      issuers: [{ issuer: own.issuer, audience: AUDIENCE }],
      clock: () => clock.ms,
      warn: (message) => told.push(message),
    })
    for (let hour = 0; hour < 3; hour++) {
      expect(await verifier.verify(await own.token(rsa, {}, { kid: undefined }))).toMatchObject({ ok: true })
      expect(await verifier.verify(await own.token(rsa))).toMatchObject({ ok: true })
      clock.ms += 2 * 3_600_000
    }
    expect(own.keyRequests).toBe(3)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(`keys of ${own.issuer} that cannot be used are passed over: key`)
    expect(told[0]).not.toContain('c2VjcmV0')
  })

  test('a private key among them is not used', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await using own = await startIssuer()
    own.keys = [
      { ...privateKey.export({ format: 'jwk' }), kid: 'leaked' },
      { ...publicKey.export({ format: 'jwk' }), kid: 'b' },
    ]
    const told: string[] = []
    const verifier = verifierOf({
      issuers: [{ issuer: own.issuer, audience: AUDIENCE }],
      warn: (message) => told.push(message),
    })
    await verifier.warmUp()
    expect(told).toEqual([expect.stringContaining('key "leaked": it is not a public key')])
  })

  test('keys for encryption are a part of many sets, and nothing to tell', async () => {
    await using own = await startIssuer(rsa)
    own.keys = [
      { ...rsa.publicJwk, use: 'enc', alg: 'RSA-OAEP', kid: 'e' },
      { ...ec.publicJwk, key_ops: ['wrapKey'] },
      ...own.keys,
    ]
    const told: string[] = []
    const verifier = verifierOf({
      issuers: [{ issuer: own.issuer, audience: AUDIENCE }],
      warn: (message) => told.push(message),
    })
    expect(await verifier.verify(await own.token(rsa, {}, { kid: undefined }))).toMatchObject({ ok: true })
    expect(told).toEqual([])
  })

  test('a set with only such keys refuses tokens with 401: asking again would not help', async () => {
    await using own = await startIssuer(rsa)
    own.keys = [null as never]
    await using server = await startServer({
      oidc: { issuers: [{ issuer: own.issuer, audience: AUDIENCE }] },
    })
    const headers = { authorization: `Bearer ${await own.token(rsa)}` }
    expect((await send(server.url, '/api/whoami', { headers })).status).toBe(401)
    expect(await getJson(server, '/health').catch(() => 'empty')).toBe('empty')
    expect(server.reasons().filter((reason) => reason.includes('passed over'))).toHaveLength(1)
  })
})
