import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { AUDIENCE, type IdentityProvider, startIdentityProvider } from '../auth/support/identity-provider.ts'
import { expectEverythingArrived } from './support/ledger.ts'
import { Recorder } from './support/recorder.ts'
import { ServerProcess } from './support/server.ts'

const NUMBERS_PER_SECOND = 2_000

function environment({ tokenEndpoint }: IdentityProvider, secret = 'first-secret'): Record<string, string> {
  return {
    MICROMEGAS_OIDC_TOKEN_ENDPOINT: tokenEndpoint,
    MICROMEGAS_OIDC_CLIENT_ID: 'post-client',
    MICROMEGAS_OIDC_CLIENT_SECRET: secret,
    MICROMEGAS_OIDC_RESOURCE: AUDIENCE,
    MICROMEGAS_OIDC_TOKEN_BUFFER_SECONDS: '1',
    MICROMEGAS_TELEMETRY_REQUEST_TIMEOUT_SECS: '2',
  }
}

function startServer({ issuer }: IdentityProvider): Promise<ServerProcess> {
  return ServerProcess.start({ oidc: { issuers: [{ issuer, audience: AUDIENCE }] } })
}

const faults: readonly [name: string, respond: (response: ServerResponse) => void][] = [
  ['answers 503', (response) => response.writeHead(503).end()],
  ['resets connections', (response) => response.socket?.resetAndDestroy()],
  ['never answers', () => {}],
]

test.each(faults)('nothing is lost while tokens expire and the token endpoint %s', async (_name, respond) => {
  await using provider = await startIdentityProvider({ tokenSeconds: 3 })
  await using server = await startServer(provider)
  await using recorder = await Recorder.start({ url: server.url, env: environment(provider) })
  await recorder.startRecording(NUMBERS_PER_SECOND)
  await recorder.flush()
  provider.intercept = (_request, response) => {
    respond(response)
    return true
  }
  let state = await recorder.state()
  while (state.stats.upload!.state === 'working') {
    await sleep(200)
    state = await recorder.state()
  }
  await sleep(2_000) // whatever is left of the last token has expired
  const asked = provider.tokenRequests
  provider.intercept = undefined
  await recorder.flush()
  expect(provider.tokenRequests).toBeGreaterThan(asked)
  await expectEverythingArrived(server.url, recorder.processId, await recorder.shutdown())
})

test('a service that starts while the token endpoint is down delivers from its first event on', async () => {
  await using provider = await startIdentityProvider()
  await using server = await startServer(provider)
  provider.intercept = (_request, response) => {
    response.writeHead(503).end()
    return true
  }
  await using recorder = await Recorder.start({ url: server.url, env: environment(provider) })
  await recorder.record(1_000)
  await sleep(2_000)
  provider.intercept = undefined
  await recorder.flush()
  await recorder.record(1_000)
  await expectEverythingArrived(server.url, recorder.processId, await recorder.shutdown())
})
