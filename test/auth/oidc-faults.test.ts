import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { CredentialsUnavailableError } from '../../src/auth/errors.ts'
import { OidcClientCredentialsDecorator } from '../../src/auth/oidc/oidc-client-credentials-decorator.ts'
import { rig } from './support/decorator.ts'
import { authorizationOf, rejection } from './support/requests.ts'
import { issues, json, type TokenAnswer, TokenServer } from './support/token-server.ts'

const html: TokenAnswer = (response) =>
  void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Please sign in</html>')

async function failure(decorator: OidcClientCredentialsDecorator): Promise<CredentialsUnavailableError> {
  const error = await rejection(authorizationOf(decorator))
  if (error instanceof CredentialsUnavailableError) return error
  throw error
}

const passing: [string, TokenAnswer, string][] = [
  [
    '503 with a page',
    (r) => void r.writeHead(503, { 'content-type': 'text/html' }).end('<h1>busy</h1>'),
    'HTTP 503',
  ],
  ['500 with JSON', (r) => json(r, 500, { error: 'server_error' }), 'HTTP 500, server_error'],
  [
    '500 that blames the client',
    (r) => json(r, 500, { error: 'invalid_client' }),
    'HTTP 500, invalid_client',
  ],
  [
    '400 that says try later',
    (r) => json(r, 400, { error: 'temporarily_unavailable' }),
    'temporarily_unavailable',
  ],
  ['408', (r) => void r.writeHead(408).end(), 'HTTP 408'],
  ['425', (r) => void r.writeHead(425).end(), 'HTTP 425'],
  [
    '429',
    (r) => json(r, 429, { error: 'rate_limited', error_description: 'easy' }),
    'HTTP 429, rate_limited: easy',
  ],
  ['a page instead of a token', html, 'the answer is no JSON (HTTP 200, text/html)'],
  [
    'JSON that is cut',
    (r) => void r.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"tok'),
    'the answer is no JSON (HTTP 200, application/json)',
  ],
  ['JSON that is no object', (r) => json(r, 200, ['token']), 'the answer cannot be used (HTTP 200'],
  ['no token', (r) => json(r, 200, { token_type: 'bearer' }), 'the answer cannot be used (HTTP 200'],
  [
    'an empty token',
    (r) => json(r, 200, { access_token: '', token_type: 'bearer' }),
    'the answer cannot be used',
  ],
  ['a token without a type', (r) => json(r, 200, { access_token: 'token' }), 'the answer cannot be used'],
  [
    'a token that no header can carry',
    (r) => json(r, 200, { access_token: 'a\nb', token_type: 'bearer' }),
    'the token has characters that no header can carry',
  ],
  ['an empty 200', (r) => void r.writeHead(200).end(), 'the answer is no JSON'],
  ['201', (r) => json(r, 201, { access_token: 'token', token_type: 'bearer' }), 'HTTP 201'],
  ['a status beyond the known', (r) => void r.writeHead(999).end(), 'HTTP 999'],
  ['a connection that is reset', (r) => void r.socket?.resetAndDestroy(), ''],
  [
    'a body that breaks off',
    (r) => {
      r.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{')
      setImmediate(() => r.socket?.destroy())
    },
    '',
  ],
  [
    'an endless body',
    (r) => {
      r.writeHead(200, { 'content-type': 'application/json' })
      const pour = (): void => {
        while (!r.destroyed && r.write(Buffer.alloc(65_536, 32)));
      }
      r.on('drain', pour)
      pour()
    },
    'too large',
  ],
]

test.each(passing)(
  '%s is passing trouble: backed off, not told on the console, healed by the next answer',
  async (_name, answer, words) => {
    await using server = await TokenServer.start(answer)
    const { decorator, clock, warnings } = rig(server)
    const error = await failure(decorator)
    expect(error).toMatchObject({ code: 'ERR_TELEMETRY_UNAVAILABLE', refused: false, retryAfterMs: 250 })
    expect(error.message).toContain(`Cannot get a token from ${server.tokenEndpoint}: `)
    expect(error.message).toContain(words)

    await failure(decorator) // within the back-off nobody asks
    expect(server.requests).toHaveLength(1)
    server.answer = issues(60)
    clock.advance(250)
    expect(await authorizationOf(decorator)).toBe('Bearer token-2')
    expect(warnings).toEqual([])
  },
)

const refusals: [string, TokenAnswer, string][] = [
  [
    'invalid_client',
    (r) => json(r, 401, { error: 'invalid_client', error_description: 'bad secret' }),
    'HTTP 401, invalid_client: bad secret',
  ],
  [
    'invalid_client behind a challenge',
    (r) =>
      json(
        r,
        401,
        { error: 'invalid_client', error_description: 'bad' },
        { 'www-authenticate': 'Basic realm="x"' },
      ),
    'HTTP 401, invalid_client: bad',
  ],
  [
    'a bare challenge',
    (r) => void r.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    'HTTP 401',
  ],
  [
    'unauthorized_client',
    (r) => json(r, 400, { error: 'unauthorized_client' }),
    'HTTP 400, unauthorized_client',
  ],
  ['invalid_scope', (r) => json(r, 400, { error: 'invalid_scope' }), 'HTTP 400, invalid_scope'],
  ['a 400 without an error code', (r) => json(r, 400, { message: 'no' }), 'HTTP 400'],
  [
    '403 with a page',
    (r) => void r.writeHead(403, { 'content-type': 'text/html' }).end('<h1>no</h1>'),
    'HTTP 403',
  ],
  ['404', (r) => void r.writeHead(404).end(), 'HTTP 404'],
  [
    'an error with status 200',
    (r) => json(r, 200, { error: 'incorrect_client_credentials' }),
    'HTTP 200, incorrect_client_credentials',
  ],
  [
    'a token of another type',
    (r) => json(r, 200, { access_token: 'token', token_type: 'mac' }),
    'it issues no bearer tokens',
  ],
  [
    'a DPoP token',
    (r) => json(r, 200, { access_token: 'token', token_type: 'DPoP' }),
    'it issues no bearer tokens',
  ],
]

test.each(refusals)(
  '%s is a refusal: told once, fails at once, asked again after five minutes, healed without a restart',
  async (_name, answer, words) => {
    await using server = await TokenServer.start(answer)
    const { decorator, clock, warnings } = rig(server)
    const error = await failure(decorator)
    expect(error).toMatchObject({ code: 'ERR_TELEMETRY_UNAVAILABLE', refused: true, retryAfterMs: 300_000 })
    expect(error.message).toContain(words)
    expect(warnings).toEqual([expect.stringContaining(`micromegas: ${error.message}`)])

    clock.advance(299_999)
    expect(await failure(decorator)).toMatchObject({ refused: true, retryAfterMs: 1 })
    expect(server.requests).toHaveLength(1)
    clock.advance(1)
    await failure(decorator)
    expect(server.requests).toHaveLength(2)
    expect(warnings).toHaveLength(1)

    server.answer = issues(60)
    clock.advance(300_000)
    expect(await authorizationOf(decorator)).toBe('Bearer token-3')
    expect(warnings).toEqual([warnings[0], expect.stringContaining('issues tokens again')])
  },
)

test.each([301, 302, 303, 307, 308])(
  'a redirect (%i) is a refusal and nothing is sent where it leads',
  async (status) => {
    await using other = await TokenServer.start(issues(60))
    await using server = await TokenServer.start(
      (response) => void response.writeHead(status, { location: `${other.tokenEndpoint}?code=hidden` }).end(),
    )
    const error = await failure(rig(server).decorator)
    expect(error.refused).toBe(true)
    expect(error.message).toContain(`HTTP ${status} redirects to ${other.tokenEndpoint};`)
    expect(error.message).not.toContain('hidden')
    expect(other.requests).toHaveLength(0)
  },
)

test.each([
  ['7', 7_000],
  [new Date(Date.now() + 100_000).toUTCString(), 100_000],
  ['86400', 300_000],
  ['nonsense', 0],
])('Retry-After %j is honoured and capped', async (header, expected) => {
  await using server = await TokenServer.start((r) =>
    json(r, 429, { error: 'slow_down' }, { 'retry-after': header }),
  )
  const { retryAfterMs } = await failure(rig(server, { random: () => 0 }).decorator)
  expect(retryAfterMs).toBeGreaterThan(expected - 5_000)
  expect(retryAfterMs).toBeLessThanOrEqual(expected)
})

test('those who are told the same Retry-After do not come back at the same time', async () => {
  await using server = await TokenServer.start((r) => void r.writeHead(503, { 'retry-after': '100' }).end())
  expect(await failure(rig(server, { random: () => 0.999 }).decorator)).toMatchObject({
    retryAfterMs: 109_991,
  })
})

test('a refusal is asked about again after 4 to 6 minutes, by chance', async () => {
  await using server = await TokenServer.start((r) => json(r, 401, { error: 'invalid_client' }))
  expect(await failure(rig(server, { random: () => 0 }).decorator)).toMatchObject({ retryAfterMs: 240_000 })
  expect(await failure(rig(server, { random: () => 0.5 }).decorator)).toMatchObject({ retryAfterMs: 300_000 })
})

test('another reason for a refusal is told as well', async () => {
  await using server = await TokenServer.start((r) => json(r, 401, { error: 'invalid_client' }))
  const { decorator, clock, warnings } = rig(server)
  await failure(decorator)
  server.answer = (r) => json(r, 400, { error: 'invalid_scope' })
  clock.advance(300_000)
  await failure(decorator)
  expect(warnings).toEqual([
    expect.stringContaining('invalid_client'),
    expect.stringContaining('invalid_scope'),
  ])
})

test('a refusal while a token is still valid is told at once and holds up nothing', async () => {
  await using server = await TokenServer.start(issues(3600))
  const { decorator, clock, warnings, settle } = rig(server)
  await authorizationOf(decorator)
  server.answer = (r) => json(r, 401, { error: 'invalid_client' })
  clock.advance(3_430_000)
  expect(await authorizationOf(decorator)).toBe('Bearer token-1')
  await settle()
  expect(await authorizationOf(decorator)).toBe('Bearer token-1')
  expect(warnings).toEqual([expect.stringContaining('invalid_client')])
})

test('a provider that never answers is given up after the time limit, and all who wait are told', async () => {
  await using server = await TokenServer.start(() => {})
  const { decorator } = rig(server, { requestTimeoutMs: 60 })
  const errors = await Promise.all(Array.from({ length: 10 }, () => failure(decorator)))
  expect(new Set(errors.map((error) => error.message))).toEqual(
    new Set([`Cannot get a token from ${server.tokenEndpoint}: no answer within 60 ms`]),
  )
  expect(server.requests).toHaveLength(1)
})

test('a provider that never ends its answer is given up too', async () => {
  await using server = await TokenServer.start(
    (r) => void r.writeHead(200, { 'content-type': 'application/json' }).write('{'),
  )
  expect((await failure(rig(server, { requestTimeoutMs: 60 }).decorator)).message).toContain(
    'no answer within 60 ms',
  )
})

test('a fetch that does not heed its signal cannot hold up anything', async () => {
  await using server = await TokenServer.start(() => {})
  const { decorator } = rig(server, { requestTimeoutMs: 60, fetch: () => new Promise(() => {}) })
  expect((await failure(decorator)).message).toContain('no answer within 60 ms')
})

test('a refused connection and an unknown host are passing trouble, told by their code', async () => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  const at = (tokenEndpoint: string): OidcClientCredentialsDecorator =>
    new OidcClientCredentialsDecorator({ tokenEndpoint, clientId: 'client', clientSecret: 'secret' })
  const refused = await failure(at(`http://127.0.0.1:${port}/token`))
  expect(refused).toMatchObject({ refused: false, message: expect.stringContaining('ECONNREFUSED') })
  const unknown = await failure(at('https://no-such-host.invalid/token'))
  expect(unknown).toMatchObject({ refused: false, message: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) })
})

test('discovery that fails is treated like the request it is for', async () => {
  await using server = await TokenServer.start((r) => void r.writeHead(503).end())
  const options = { tokenEndpoint: undefined, issuer: `${server.origin}/realm` }
  const passingTrouble = rig(server, options)
  expect(await failure(passingTrouble.decorator)).toMatchObject({
    refused: false,
    message: `Cannot discover the token endpoint of ${server.origin}/realm: the identity provider answered HTTP 503`,
  })

  server.answer = (r) =>
    json(r, 200, { issuer: 'https://other.example', token_endpoint: server.tokenEndpoint })
  const stranger = await failure(rig(server, options).decorator)
  expect(stranger).toMatchObject({ refused: true, message: expect.stringContaining('names another issuer') })

  server.answer = (r) => json(r, 200, { issuer: `${server.origin}/realm` })
  expect(await failure(rig(server, options).decorator)).toMatchObject({
    refused: true,
    message: expect.stringContaining('its discovery document names none'),
  })

  server.answer = (r) =>
    json(r, 200, { issuer: `${server.origin}/realm`, token_endpoint: 'http://idp.example/token' })
  expect(await failure(rig(server, options).decorator)).toMatchObject({
    refused: true,
    message: expect.stringContaining('plain http'),
  })

  server.answer = html
  expect(await failure(rig(server, options).decorator)).toMatchObject({
    refused: false,
    message: expect.stringContaining('no JSON'),
  })
})

test('a discovered endpoint is discovered anew after a failure, since endpoints move', async () => {
  await using server = await TokenServer.start((response, n, request) => {
    if (request.url?.includes('.well-known')) {
      const token_endpoint = `${server.origin}/${n < 3 ? 'old' : 'new'}`
      json(response, 200, { issuer: server.origin, token_endpoint })
    } else if (request.url === '/old') response.writeHead(404).end()
    else return issues(60)(response, n, request)
  })
  const { decorator, clock } = rig(server, { tokenEndpoint: undefined, issuer: server.origin })
  await failure(decorator)
  clock.advance(300_000)
  expect(await authorizationOf(decorator)).toBe('Bearer token-4')
})

test('a console that throws is no failure of the provider', async () => {
  await using server = await TokenServer.start((r) => json(r, 401, { error: 'invalid_client' }))
  const { decorator } = rig(server, {
    warn: () => {
      throw new Error('closed')
    },
  })
  expect((await failure(decorator)).message).toContain('invalid_client')
})

test('the form has what RFC 6749 and RFC 8707 ask for, and Basic encodes as a form', async () => {
  await using server = await TokenServer.start(issues(60))
  const sent = { scope: 'a b', audience: 'https://api.example', resource: 'https://resource.example' }
  await authorizationOf(rig(server, { ...sent, clientSecret: 'p+/=ö ' }).decorator)
  await authorizationOf(
    rig(server, { clientId: 'id:x', clientSecret: 'p+ö', authMethod: 'client_secret_basic' }).decorator,
  )
  const [post, basic] = server.requests
  expect(Object.fromEntries(post?.form ?? [])).toEqual({
    grant_type: 'client_credentials',
    client_id: 'client',
    client_secret: 'p+/=ö ',
    ...sent,
  })
  expect(post?.authorization).toBeUndefined()
  expect(Object.fromEntries(basic?.form ?? [])).toEqual({ grant_type: 'client_credentials' })
  expect(basic?.authorization).toBe(`Basic ${Buffer.from('id%3Ax:p%2B%C3%B6').toString('base64')}`)
})
