/** Credentials that are refused and then mended: uploads pause, nothing is lost, it is said once, and they go on. */
import { EventEmitter, once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { OidcOptions } from '../../server/src/index.ts'
import {
  ApiKeyRequestDecorator,
  initTelemetry,
  logger,
  OidcClientCredentialsDecorator,
} from '../../src/index.ts'
import { AUDIENCE, type IdentityProvider, startIdentityProvider } from '../auth/support/identity-provider.ts'
import { Child } from '../main/support/child.ts'
import { Uploads } from './support/uploads.ts'
import { WatchedServer } from './support/watched-server.ts'

let directory: string
let messages: string[]
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'micromegas-e2e-'))
  messages = []
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => messages.push(String(text).trim()) > 0)
})
/** As secrets are rotated: whoever reads the file meanwhile finds the old one or the new one, never half of it. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

afterEach(async () => {
  vi.restoreAllMocks()
  await rm(directory, { recursive: true })
})

/** What the package has said. */
function said(): string[] {
  return messages.filter((line) => line.startsWith('micromegas:'))
}

const log = logger('shop')
const LINES = Array.from({ length: 20 }, (_, i) => `event ${i}`)

function record(from: number, to: number): void {
  for (const line of LINES.slice(from, to)) log.info(line)
}

function trusting(idp: IdentityProvider, audience = AUDIENCE): OidcOptions {
  return { issuers: [{ issuer: idp.issuer, audience }] }
}

/** Requests for tokens, which a test can wait for. */
class TokenRequests {
  readonly #idp: IdentityProvider
  readonly #emitter = new EventEmitter()
  /** Whether the provider breaks every connection. */
  down = false

  constructor(idp: IdentityProvider) {
    this.#idp = idp
    idp.intercept = (request) => {
      this.#emitter.emit('request')
      if (this.down) request.socket.destroy()
      return this.down
    }
  }

  async reach(count: number): Promise<void> {
    while (this.#idp.tokenRequests < count) await once(this.#emitter, 'request')
  }
}

test('a wrong API key in a mounted file: mending the file delivers everything', async () => {
  await using server = await WatchedServer.start({ apiKeys: [{ name: 'shop', key: 'right-key' }] })
  // As Kubernetes mounts a secret: the name is a link through a directory that is replaced as a whole.
  const mount = async (key: string): Promise<void> => {
    const version = `..${key}`
    await mkdir(join(directory, version))
    await writeFile(join(directory, version, 'api-key'), `${key}\n`)
    await symlink(version, join(directory, '..next'))
    await rename(join(directory, '..next'), join(directory, '..data'))
  }
  await mount('wrong-key')
  await symlink('..data/api-key', join(directory, 'api-key'))
  const decorator = ApiKeyRequestDecorator.fromFile(join(directory, 'api-key'))
  await using uploads = new Uploads(server.url, decorator)

  record(0, 10)
  await uploads.seal()
  await server.refused(8)
  record(10, 20)
  await uploads.seal()
  expect(uploads.sink.stats()).toMatchObject({ state: 'unauthorized', pending: { events: 20 }, drops: [] })
  await mount('right-key')
  expect(await uploads.telemetry.flush()).toMatchObject({ delivered: { events: 20 } })

  expect(await server.messages('shop')).toEqual(LINES)
  expect(new Set(server.refusals)).toEqual(new Set([401]))
  expect(said()).toEqual([
    expect.stringMatching(/refuses our credentials \(401\).*telemetry is kept/),
    expect.stringContaining('work again'),
  ])
})

test('a service with a wrong API key in a mounted file: mending it before the service ends is early enough', async () => {
  await using server = await WatchedServer.start({ apiKeys: [{ name: 'shop', key: 'right-key' }] })
  const path = join(directory, 'api-key')
  await writeFile(path, 'wrong-key\n')
  const child = new Child(
    'service.mjs',
    {
      MICROMEGAS_TELEMETRY_URL: server.url,
      MICROMEGAS_INGESTION_API_KEY_FILE: path,
      MICROMEGAS_FLUSH_PERIOD: '0.05',
    },
    ['heeds'],
  )
  await server.refused(6) // three uploads, each tried twice
  await replaceFile(path, 'right-key\n')
  child.process.kill('SIGTERM')
  const { code, stderr } = await child.ended
  expect(code).toBe(143)
  expect(await server.messages('fixture')).toHaveLength(101)
  expect(stderr.match(/refuses our credentials/g)).toHaveLength(1)
  expect(stderr).not.toMatch(/wrong-key|right-key/)
})

test('an API key that the server does not know yet: adding it there delivers everything', async () => {
  const options = { dataDir: directory, apiKeys: [{ name: 'other', key: 'other-key' }] }
  const before = await WatchedServer.start(options)
  await using uploads = new Uploads(before.url, new ApiKeyRequestDecorator('new-key'))
  record(0, 20)
  await uploads.seal()
  await before.refused(4)
  const { port } = before
  await before.close()
  const apiKeys = [...options.apiKeys, { name: 'shop', key: 'new-key' }]
  await using server = await WatchedServer.start({ ...options, port, apiKeys })
  expect(await uploads.telemetry.flush()).toMatchObject({ delivered: { events: 20 }, dropped: { events: 0 } })
  expect(await server.messages('shop')).toEqual(LINES)
  expect(said().filter((line) => line.includes('refuses our credentials'))).toHaveLength(1)
})

function credentials(idp: IdentityProvider): ConstructorParameters<typeof OidcClientCredentialsDecorator>[0] {
  return { tokenEndpoint: idp.tokenEndpoint, clientId: 'post-client', resource: AUDIENCE }
}

test('a client secret that the provider refuses: mending it at the provider delivers everything', async () => {
  await using idp = await startIdentityProvider({ secret: 'another-secret' })
  await using server = await WatchedServer.start({ oidc: trusting(idp) })
  const tokens = new TokenRequests(idp)
  const decorator = new OidcClientCredentialsDecorator({
    ...credentials(idp),
    clientSecret: 'our-secret',
    refusedRetryMs: 100,
  })
  await using uploads = new Uploads(server.url, decorator)
  record(0, 20)
  await uploads.seal()
  await tokens.reach(5)
  expect(uploads.sink.stats()).toMatchObject({ state: 'unreachable', pending: { events: 20 }, drops: [] })
  idp.setSecret('our-secret')
  expect(await uploads.telemetry.flush()).toMatchObject({ delivered: { events: 20 } })

  expect(await server.messages('shop')).toEqual(LINES)
  expect(server.refusals).toEqual([]) // nothing was sent without a token
  expect(said()).toEqual([
    expect.stringMatching(/invalid_client: client authentication failed\. Uploads pause/),
    expect.stringContaining('issues tokens again'),
  ])
})

test('a client secret that was rotated: a changed file heals it, an unchanged one is no reason to ask again', async () => {
  await using idp = await startIdentityProvider({ secret: 'old-secret' })
  await using server = await WatchedServer.start({ oidc: trusting(idp) })
  const clientSecretFile = join(directory, 'client-secret')
  await writeFile(clientSecretFile, 'old-secret\n')
  let skewMs = 0
  const decorator = new OidcClientCredentialsDecorator({
    ...credentials(idp),
    clientSecretFile,
    now: () => performance.now() + skewMs,
  })
  await using uploads = new Uploads(server.url, decorator, { maxRetryAfterMs: 10 })
  record(0, 5)
  expect(await uploads.telemetry.flush()).toMatchObject({ delivered: { events: 5 } })

  idp.setSecret('new-secret')
  skewMs = 3_600_000 // the token's life is over
  record(5, 20)
  await uploads.seal()
  await vi.waitFor(() => expect(said()).toHaveLength(1), 10_000)
  const { attempts } = uploads.sink.stats()
  await vi.waitFor(() => expect(uploads.sink.stats().attempts).toBeGreaterThan(attempts + 20), 10_000)
  expect(idp.tokenRequests).toBe(2) // the first token, and the refusal
  await replaceFile(clientSecretFile, 'new-secret\n')
  expect(await uploads.telemetry.flush()).toMatchObject({ delivered: { events: 15 } })

  expect(idp.tokenRequests).toBe(3)
  expect(await server.messages('shop')).toEqual(LINES)
  expect(said()).toEqual([
    expect.stringContaining('invalid_client'),
    expect.stringContaining('issues tokens again'),
  ])
})

test('an identity provider that is down when the token runs out: its return delivers everything', async () => {
  await using idp = await startIdentityProvider()
  await using server = await WatchedServer.start({ oidc: trusting(idp) })
  const tokens = new TokenRequests(idp)
  let skewMs = 0
  const decorator = new OidcClientCredentialsDecorator({
    ...credentials(idp),
    clientSecret: 'first-secret',
    now: () => performance.now() + skewMs,
    random: () => 0.05, // waits of 25 ms, 50 ms, …
  })
  await using uploads = new Uploads(server.url, decorator)
  record(0, 5)
  expect(await uploads.telemetry.flush()).toMatchObject({ delivered: { events: 5 } })

  tokens.down = true
  skewMs = 3_600_000
  record(5, 20)
  await uploads.seal()
  await tokens.reach(5)
  expect(uploads.sink.stats()).toMatchObject({ state: 'unreachable', pending: { events: 15 }, drops: [] })
  tokens.down = false
  expect(await uploads.telemetry.flush()).toMatchObject({ delivered: { events: 15 } })

  expect(await server.messages('shop')).toEqual(LINES)
  expect(server.refusals).toEqual([])
  expect(idp.maxActive).toBe(1)
  expect(said()).toEqual([
    expect.stringMatching(/Cannot get a token from .*telemetry is kept and retried/),
    expect.stringContaining('work again'),
  ])
})

test('a server that cannot get the keys to check tokens with: nothing is lost, and the token is not replaced', async () => {
  await using idp = await startIdentityProvider()
  idp.interceptAll = (request) => {
    if (request.url?.startsWith('/token')) return false
    request.socket.destroy()
    return true
  }
  await using server = await WatchedServer.start({ oidc: trusting(idp) })
  const decorator = new OidcClientCredentialsDecorator({ ...credentials(idp), clientSecret: 'first-secret' })
  await using uploads = new Uploads(server.url, decorator)
  record(0, 20)
  await uploads.seal()
  await server.refused(8)
  expect(uploads.sink.stats()).toMatchObject({ state: 'unreachable', pending: { events: 20 }, drops: [] })
  idp.interceptAll = undefined
  expect(await uploads.telemetry.flush()).toMatchObject({ delivered: { events: 20 } })

  expect(await server.messages('shop')).toEqual(LINES)
  expect(new Set(server.refusals)).toEqual(new Set([503]))
  expect(idp.tokenRequests).toBe(1)
  expect(said()).toEqual([
    expect.stringMatching(/it answers 503; telemetry is kept and retried/),
    expect.stringContaining('work again'),
  ])
})

test('a server that refuses every token: a few are tried, and mending the server delivers everything', async () => {
  await using idp = await startIdentityProvider()
  const before = await WatchedServer.start({
    dataDir: directory,
    oidc: trusting(idp, 'https://another.test'),
  })
  const decorator = new OidcClientCredentialsDecorator({ ...credentials(idp), clientSecret: 'first-secret' })
  await using uploads = new Uploads(before.url, decorator)
  record(0, 20)
  await uploads.seal()
  await before.refused(30)
  expect(uploads.sink.stats()).toMatchObject({ state: 'unauthorized', pending: { events: 20 }, drops: [] })
  expect(idp.tokenRequests).toBeLessThanOrEqual(1 + 5)
  const { port } = before
  await before.close()
  await using server = await WatchedServer.start({ dataDir: directory, port, oidc: trusting(idp) })
  expect(await uploads.telemetry.flush()).toMatchObject({ delivered: { events: 20 } })
  expect(await server.messages('shop')).toEqual(LINES)
  expect(said().filter((line) => line.includes('refuses our credentials'))).toHaveLength(1)
})

test('from an API key to OIDC, step by step: no upload is refused', async () => {
  await using idp = await startIdentityProvider()
  const apiKeys = [{ name: 'shop', key: 'the-key' }]
  const both = { dataDir: directory, apiKeys, oidc: trusting(idp) }
  const first = await WatchedServer.start({ dataDir: directory, apiKeys })
  const { port, url } = first
  const oidc = {
    MICROMEGAS_OIDC_TOKEN_ENDPOINT: idp.tokenEndpoint,
    MICROMEGAS_OIDC_CLIENT_ID: 'post-client',
    MICROMEGAS_OIDC_CLIENT_SECRET: 'first-secret',
    MICROMEGAS_OIDC_RESOURCE: AUDIENCE,
  }
  const key = { MICROMEGAS_INGESTION_API_KEY: 'the-key' }
  /** A service with the given environment, which records some lines and ends. */
  const run = async (env: Record<string, string>, from: number, to: number): Promise<void> => {
    for (const [name, value] of Object.entries({ ...env, MICROMEGAS_TELEMETRY_URL: url }))
      vi.stubEnv(name, value)
    await using telemetry = initTelemetry({ localSinkEnabled: false, systemMetrics: false })
    vi.unstubAllEnvs()
    record(from, to)
    expect(await telemetry.flush()).toMatchObject({
      delivered: { events: to - from },
      dropped: { events: 0 },
    })
  }
  await run(key, 0, 4)
  await first.close()

  const second = await WatchedServer.start({ ...both, port })
  await run(key, 4, 8)
  await run({ ...key, ...oidc }, 8, 12)
  expect(idp.tokenRequests).toBe(0) // the key comes first
  await run(oidc, 12, 16)
  expect(idp.tokenRequests).toBe(1)
  await second.close()

  await using third = await WatchedServer.start({ dataDir: directory, port, oidc: both.oidc })
  await run(oidc, 16, 20)
  expect((await third.messages('shop')).sort()).toEqual(LINES.toSorted())
  expect([first, second, third].flatMap(({ refusals }) => refusals)).toEqual([])
})
