import { expect, test } from 'vitest'
import type { OidcClientCredentialsDecorator } from '../../src/auth/oidc/oidc-client-credentials-decorator.ts'
import type { DecoratedRequest } from '../../src/auth/request-decorator.ts'
import { rig } from './support/decorator.ts'
import { authorizationOf, rejection, uploadRequest } from './support/requests.ts'
import { issues, json, TokenServer } from './support/token-server.ts'

const DAY = 86_400

/** A request that was decorated and sent. */
async function sent(decorator: OidcClientCredentialsDecorator): Promise<DecoratedRequest> {
  const request = uploadRequest()
  await decorator.decorate(request, AbortSignal.timeout(10_000))
  return request
}

/** Whether a request is decorated on the spot, with no wait. */
function atOnce(decorator: OidcClientCredentialsDecorator): boolean {
  const waiting = decorator.decorate(uploadRequest(), AbortSignal.timeout(10_000))
  waiting?.catch(() => {})
  return waiting === undefined
}

// expires_in, buffer, chance; then the seconds after which a token is renewed in the background, and no longer used
test.each([
  ['an hour', 3600, 180, 0.5, 3420, 3595],
  ['an hour, earliest', 3600, 180, 0, 3330, 3595],
  ['an hour, latest', 3600, 180, 0.999999, 3510, 3595],
  ['five minutes (the buffer is cut to a fifth)', 300, 180, 0.5, 240, 295],
  ['five minutes, earliest', 300, 180, 0, 216, 295],
  ['two seconds', 2, 180, 0.5, 1.6, 1.9],
  ['two seconds, earliest', 2, 180, 0, 1.44, 1.9],
  ['a fraction of a second, taken for one', 0.1, 180, 0.5, 0.8, 0.95],
  ['an hour as a string', '3600', 180, 0.5, 3420, 3595],
  ['a missing expires_in, taken for a minute', undefined, 180, 0.5, 48, 57],
  ['zero, taken for a minute', 0, 180, 0.5, 48, 57],
  ['less than zero, taken for a minute', -3600, 180, 0.5, 48, 57],
  ['null, taken for a minute', null, 180, 0.5, 48, 57],
  ['a word, taken for a minute', 'soon', 180, 0.5, 48, 57],
  ['an object, taken for a minute', {}, 180, 0.5, 48, 57],
  ['a day', DAY, 180, 0.5, DAY - 180, DAY - 5],
  ['a thousand years, taken for 30 days', 1000 * 365 * DAY, 180, 0.5, 30 * DAY - 180, 30 * DAY - 5],
  ['an hour with a buffer of a second', 3600, 6, 0.5, 3594, 3595],
])(
  'a token of %s is renewed behind the requests and then given up',
  async (_name, expiresIn, buffer, chance, soft, hard) => {
    await using server = await TokenServer.start(issues(expiresIn))
    const { decorator, clock, sentAt, settle } = rig(server, {
      tokenBufferSeconds: buffer,
      random: () => chance,
    })
    const start = clock.ms
    await authorizationOf(decorator)

    clock.ms = start + soft * 1000 - 1
    expect(atOnce(decorator)).toBe(true)
    await settle()
    expect(sentAt).toEqual([0])

    server.answer = (response) => void response.writeHead(503).end() // the first token stays
    clock.ms = start + soft * 1000 + 1
    expect(atOnce(decorator)).toBe(true)
    await server.requested(2)
    await settle()
    expect(sentAt).toEqual([0, soft * 1000 + 1])

    clock.ms = start + hard * 1000 - 1
    expect(atOnce(decorator)).toBe(true)
    await settle()
    clock.ms = start + hard * 1000
    expect(atOnce(decorator)).toBe(false)
  },
)

test('a token endpoint that sends an infinite expires_in gives a token all the same', async () => {
  await using server = await TokenServer.start((response) => {
    response.setHeader('content-type', 'application/json')
    response.end('{"access_token":"token","token_type":"bearer","expires_in":1e999}')
  })
  expect(await authorizationOf(rig(server).decorator)).toBe('Bearer token')
})

test('what a token answer holds besides the token is no reason to refuse it', async () => {
  await using server = await TokenServer.start((response) =>
    json(response, 200, {
      access_token: 'token',
      token_type: 'BEARER',
      id_token: 'junk',
      scope: ['a'],
      refresh_token: 1,
    }),
  )
  expect(await authorizationOf(rig(server).decorator)).toBe('Bearer token')
})

test('100 concurrent requests share one token request, and 100 later ones need none', async () => {
  await using server = await TokenServer.start(issues(3600))
  const { decorator } = rig(server)
  const hundred = (): Promise<unknown[]> =>
    Promise.all(Array.from({ length: 100 }, () => authorizationOf(decorator)))
  expect(new Set(await hundred())).toEqual(new Set(['Bearer token-1']))
  expect(new Set(await hundred())).toEqual(new Set(['Bearer token-1']))
  expect(server.requests).toHaveLength(1)
})

test('while a renewal is under way requests go on with the token they have, and only past its end do they wait', async () => {
  await using server = await TokenServer.start(issues(3600))
  const { decorator, clock } = rig(server)
  await authorizationOf(decorator)

  const held = deferred()
  server.answer = async (...request) => {
    await held.promise
    return issues(3600)(...request)
  }
  clock.advance(3_500_000)
  for (let n = 0; n < 100; n++) expect(atOnce(decorator)).toBe(true)
  await server.requested(2)
  expect(atOnce(decorator)).toBe(true)

  clock.advance(95_001)
  const waiting = authorizationOf(decorator)
  const impatient = new Error('the attempt is over')
  const abort = new AbortController()
  const left = rejection(authorizationOf(decorator, abort.signal))
  abort.abort(impatient)
  expect(await left).toBe(impatient)

  held.resolve()
  expect(await waiting).toBe('Bearer token-2') // one who leaves does not take the token from the others
  expect(server.requests).toHaveLength(2)
})

test('the wall clock may jump by hours: nothing is renewed, nothing expires', async () => {
  await using server = await TokenServer.start(issues(3600))
  const { decorator, clock, settle } = rig(server)
  const realNow = Date.now
  await authorizationOf(decorator)
  try {
    for (const hours of [-48, 48]) {
      Date.now = () => realNow() + hours * 3_600_000
      clock.advance(1000)
      expect(atOnce(decorator)).toBe(true)
      await settle()
    }
    clock.advance(3_600_000)
    expect(await authorizationOf(decorator)).toBe('Bearer token-2') // and it is renewed on time while the clock is off
  } finally {
    Date.now = realNow
  }
  expect(server.requests).toHaveLength(2)
})

test('after a failed renewal in the background the provider is left alone for a back-off that doubles', async () => {
  await using server = await TokenServer.start(issues(3600))
  const { decorator, clock, sentAt, settle } = rig(server)
  await authorizationOf(decorator)
  server.answer = (response) => void response.writeHead(503).end()
  clock.advance(3_430_000)
  // chance 0.5 of 500 ms, 1 s, 2 s, 4 s …
  const expected = [3_430_000]
  for (const wait of [250, 500, 1000, 2000, 4000, 8000]) expected.push((expected.at(-1) ?? 0) + wait)
  expect(atOnce(decorator)).toBe(true)
  await settle()
  for (const wait of [250, 500, 1000, 2000, 4000, 8000]) {
    clock.advance(wait - 1)
    for (let n = 0; n < 20; n++) expect(atOnce(decorator)).toBe(true)
    await settle()
    clock.advance(1)
    expect(atOnce(decorator)).toBe(true)
    await settle()
  }
  expect(sentAt).toEqual([0, ...expected])
})

test('the back-off has a cap of 30 s and starts anew after a success', async () => {
  await using server = await TokenServer.start((response) => void response.writeHead(500).end())
  const { decorator, clock } = rig(server, { random: () => 0.999999 })
  const waits: number[] = []
  const fail = async (): Promise<void> => {
    const error = (await rejection(authorizationOf(decorator))) as { retryAfterMs: number }
    waits.push(Math.round(error.retryAfterMs))
    clock.advance(error.retryAfterMs)
  }
  for (let n = 0; n < 9; n++) await fail()
  server.answer = issues(60)
  await authorizationOf(decorator)
  server.answer = (response) => void response.writeHead(500).end()
  clock.advance(60_000)
  await fail()
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 500])
})

test('the refused token is dropped and replaced once, however many requests carried it', async () => {
  await using server = await TokenServer.start(issues(3600))
  const { decorator } = rig(server)
  const refused = await Promise.all(Array.from({ length: 50 }, () => sent(decorator)))
  const retried = await Promise.all(
    refused.map((request) => {
      decorator.onRejected(request)
      return authorizationOf(decorator)
    }),
  )
  expect(new Set(retried)).toEqual(new Set(['Bearer token-2']))
  expect(server.requests).toHaveLength(2)
})

test('a late refusal of an old token leaves the newer one in place', async () => {
  await using server = await TokenServer.start(issues(3600))
  const { decorator } = rig(server)
  const old = await sent(decorator)
  decorator.onRejected(old)
  expect(await authorizationOf(decorator)).toBe('Bearer token-2')
  decorator.onRejected(old)
  decorator.onRejected(uploadRequest()) // a request that carries no token at all
  expect(await authorizationOf(decorator)).toBe('Bearer token-2')
  expect(server.requests).toHaveLength(2)
})

test('a refusal during a renewal is not undone by a provider that hands out the same token again', async () => {
  await using server = await TokenServer.start((response) =>
    json(response, 200, { access_token: 'cached', token_type: 'bearer', expires_in: 3600 }),
  )
  const { decorator, clock } = rig(server)
  const request = await sent(decorator)
  clock.advance(3_500_000)
  const held = deferred()
  server.answer = async (response, n) => {
    if (n === 2) await held.promise
    json(response, 200, {
      access_token: n === 2 ? 'cached' : 'fresh',
      token_type: 'bearer',
      expires_in: 3600,
    })
  }
  expect(atOnce(decorator)).toBe(true)
  await server.requested(2)
  decorator.onRejected(request)
  const next = authorizationOf(decorator)
  held.resolve()
  expect(await next).toBe('Bearer fresh')
  expect(server.requests).toHaveLength(3)
})

test('a server that refuses every token costs the provider five requests at once, then one a minute', async () => {
  await using server = await TokenServer.start(issues(3600))
  const { decorator, clock } = rig(server)
  for (let n = 0; n < 100; n++) decorator.onRejected(await sent(decorator))
  expect(server.requests).toHaveLength(6)
  clock.advance(59_999)
  decorator.onRejected(await sent(decorator))
  await sent(decorator)
  expect(server.requests).toHaveLength(6)
  clock.advance(1)
  decorator.onRejected(await sent(decorator))
  await sent(decorator)
  expect(server.requests).toHaveLength(7)
})

test('close abandons the request under way, and the decorator works again afterwards', async () => {
  await using server = await TokenServer.start(() => {})
  const { decorator } = rig(server)
  const waiting = rejection(authorizationOf(decorator))
  await server.requested(1)
  decorator.close()
  expect(await waiting).toMatchObject({ code: 'ERR_TELEMETRY_UNAVAILABLE', refused: false })
  server.answer = issues(60)
  expect(await authorizationOf(decorator)).toBe('Bearer token-2')
  decorator.close()
})

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve: () => resolve() }
}
