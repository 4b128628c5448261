import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { OidcClientCredentialsDecorator } from '../../src/auth/oidc/oidc-client-credentials-decorator.ts'
import { AUDIENCE, startIdentityProvider } from './support/identity-provider.ts'
import { uploadRequest } from './support/requests.ts'
import { startUploadServer } from './support/upload-server.ts'

const TOKEN_SECONDS = 2
const SOAK_SECONDS = 5.5
/** Lifetimes begun: a token is renewed at 80 % of its life, give or take 8 %, so that four requests are the most. */
const LIFETIMES = Math.ceil(SOAK_SECONDS / TOKEN_SECONDS)

test('thousands of uploads across several token lifetimes: none rejected, one token request at a time, few of them', async () => {
  await using idp = await startIdentityProvider({ tokenSeconds: TOKEN_SECONDS })
  await using server = await startUploadServer(idp)
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: idp.tokenEndpoint,
    clientId: 'post-client',
    clientSecret: 'first-secret',
    resource: AUDIENCE,
  })
  const end = performance.now() + SOAK_SECONDS * 1000
  let decorated = 0
  let waited = 0

  const upload = async (): Promise<void> => {
    while (performance.now() < end) {
      const request = uploadRequest(server.url)
      // Most uploads stop here, so that thousands of them go through in the time.
      for (let n = 0; n < 10; n++) {
        const before = performance.now()
        const waiting = decorator.decorate(request, AbortSignal.timeout(5_000))
        if (waiting !== undefined) {
          waited++
          await waiting
        }
        expect(performance.now() - before).toBeLessThan(2_000)
        decorated++
      }
      const response = await fetch(server.url, {
        method: 'POST',
        headers: request.headers,
        body: request.body,
      })
      await response.body?.cancel()
      await nextTurn()
    }
  }
  await Promise.all(Array.from({ length: 8 }, upload))

  expect(server.rejected).toBe(0)
  expect(decorated).toBeGreaterThan(2_000)
  expect(server.accepted).toBe(decorated / 10)
  expect(idp.maxActive).toBe(1)
  expect(idp.tokenRequests).toBeGreaterThanOrEqual(LIFETIMES)
  expect(idp.tokenRequests).toBeLessThanOrEqual(LIFETIMES + 1)
  // All eight wait for the very first token; more only if this machine stood still for longer than the buffer.
  expect(waited).toBeLessThanOrEqual(8 * idp.tokenRequests)
})
