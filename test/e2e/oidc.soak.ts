/**
 * A service that uploads all the time, across many lives of its token, to a server that checks every token.
 *
 * `npm run test:faults` soaks for 8 s; `SOAK_SECONDS=600 npx vitest run --config vitest.faults.config.ts oidc.soak` for as long as
 * wanted.
 */
import { expect, test } from 'vitest'
import { startServer } from '../../server/test/support/server.ts'
import { initTelemetry, logger, OidcClientCredentialsDecorator } from '../../src/index.ts'
import { AUDIENCE, startIdentityProvider } from '../auth/support/identity-provider.ts'

const SECONDS = Math.max(4, Number(process.env.SOAK_SECONDS ?? 8))
const TOKEN_SECONDS = 2
/**
 * A token is used for 95 % of its life, since the way of a request to the server takes time. The times in it are whole
 * seconds, so that it may run out a second before that: the server's tolerance has to cover it.
 */
const USED_SECONDS = 0.95 * TOKEN_SECONDS
const WORKERS = 6
const MIN_UPLOADS = 2_000

test(
  'thousands of uploads across many lives of a token: none is refused, no event is lost, one token request a life',
  async () => {
    await using idp = await startIdentityProvider({ tokenSeconds: TOKEN_SECONDS })
    await using server = await startServer({
      oidc: { issuers: [{ issuer: idp.issuer, audience: AUDIENCE }] },
      checkBlocks: false, // the time is for uploads
    })
    const warnings: string[] = []
    // The buffer before the expiry, by default a fifth of so short a life, is what makes for more requests than lives.
    const env = {
      MICROMEGAS_OIDC_TOKEN_ENDPOINT: idp.tokenEndpoint,
      MICROMEGAS_OIDC_CLIENT_ID: 'post-client',
      MICROMEGAS_OIDC_CLIENT_SECRET: 'first-secret',
      MICROMEGAS_OIDC_RESOURCE: AUDIENCE,
      MICROMEGAS_OIDC_TOKEN_BUFFER_SECONDS: '0',
    }
    const decorator = OidcClientCredentialsDecorator.fromEnv(env, {
      warn: (message) => warnings.push(message),
    })
    const telemetry = initTelemetry({
      telemetryUrl: server.url,
      decoratorFactory: () => decorator,
      localSinkEnabled: false,
      systemMetrics: false,
    })
    const log = logger('soak')
    const start = performance.now()
    let uploads = 0
    const work = async (): Promise<void> => {
      while (uploads < MIN_UPLOADS || performance.now() - start < SECONDS * 1000) {
        log.info`upload ${uploads++}`
        const { dropped, pending } = await telemetry.flush() // seals at once: every event is an upload
        expect([dropped.events, pending.events]).toEqual([0, 0])
      }
    }
    await Promise.all(Array.from({ length: WORKERS }, work))
    const seconds = (performance.now() - start) / 1000
    await telemetry.shutdown()

    // The last block is the process's account.
    const events = telemetry.stats.recording.log.recorded + telemetry.stats.recording.metrics.recorded
    expect(telemetry.stats.recording.log.recorded).toBe(uploads)
    expect(telemetry.stats.upload).toMatchObject({
      delivered: { blocks: uploads + 1, events },
      failedAttempts: 0,
      drops: [],
    })
    expect(server.events.filter(({ type }) => type === 'refused')).toEqual([])
    const { rows } = await server.reader.processes()
    expect(rows).toMatchObject([{ processId: telemetry.processId, blocks: uploads + 1, events }])
    expect(warnings).toEqual([])

    expect(idp.maxActive).toBe(1)
    expect(idp.tokenRequests).toBeGreaterThanOrEqual(Math.floor(seconds / TOKEN_SECONDS))
    expect(idp.tokenRequests).toBeLessThanOrEqual(Math.ceil(seconds / USED_SECONDS) + 1)
  },
  SECONDS * 1000 + 20_000,
)
