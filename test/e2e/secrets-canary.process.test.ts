/**
 * A service that shows everything it has, with Node's own debug output on and the console captured: no secret is printed
 * and none is uploaded, but where it belongs.
 */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeBlock } from '../../src/telemetry/decode/decoder.ts'
import { decompressFrame } from '../../src/telemetry/lz4/lz4-frame.ts'
import { issues, json, TokenServer } from '../auth/support/token-server.ts'
import { type ReceivedRequest, type Respond, startService } from '../sink/support/service.ts'
import { CANARIES, leakIn } from './support/canaries.ts'
import { type Ended, runFixture } from './support/child.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'micromegas-e2e-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, text)
  return path
}

const DEBUG = { NODE_DEBUG: 'undici,fetch,http,https,net,tls', NODE_OPTIONS: '--trace-warnings' }

function run(env: Record<string, string>, ...args: string[]): Promise<Ended> {
  return runFixture('talkative-service.mjs', { ...DEBUG, ...env }, args)
}

/** Fails in every way, hands back the credentials wherever an answer has room for them, and then takes what comes. */
const echoing: Respond = ({ index, headers: { authorization = '' } }) => {
  const headers = { 'www-authenticate': authorization, 'x-echo': authorization }
  const body = `credentials: ${authorization}`
  if (index === 0) return { status: 401, headers, body }
  if (index === 1) return { status: 500, headers, body }
  if (index === 2) return { status: 307, headers: { ...headers, location: `/${authorization}` }, body }
  if (index === 3) return { status: 503, headers: { ...headers, 'retry-after': authorization }, body }
  if (index === 4) return { status: 403, headers, body }
  return { status: 200, headers, body }
}

/** All that came with an upload, but for the header that is meant to carry the credentials. */
function uploadedText({ url, headers, body, insert }: ReceivedRequest): string {
  const { authorization: _, ...others } = headers
  const parts = [url, JSON.stringify(others), body.toString('latin1')]
  if (insert === 'block') {
    const { dependencies, objects } = decodeBlock(body)
    for (const frame of [dependencies, objects]) parts.push(Buffer.from(decompressFrame(frame)).toString())
  }
  return parts.join('\n')
}

interface Secrets {
  /** What the uploads are authorized with, to see that a secret was in use at all. */
  readonly carried?: string
  /** Secrets that are known when the service has ended. */
  readonly more?: () => readonly string[]
}

/** Runs the service to its end and looks at all that left it. */
async function expectNoLeak(
  env: Record<string, string>,
  { carried, more = () => [] }: Secrets,
): Promise<void> {
  await using service = await startService(echoing)
  const { code, stdout, stderr } = await run(
    { MICROMEGAS_TELEMETRY_URL: service.url, ...env },
    ...(carried === undefined ? ['2'] : []),
  )
  const printed = `${stdout}\n${stderr}`.replaceAll(directory, '')
  const uploaded = service.requests.map(uploadedText).join('\n').replaceAll(directory, '')
  const sentinel = 'sentinel of the console'
  expect({
    code,
    printed: printed.includes(sentinel),
    debugged: /^(UNDICI|NET|FETCH) \d+/m.test(printed),
    uploaded: uploaded.includes(sentinel),
    fatal: uploaded.includes('unhandled rejection'),
    carried: service.requests.some(({ headers }) => headers.authorization === `Bearer ${carried}`),
    printedLeak: leakIn(printed, more()),
    uploadedLeak: leakIn(uploaded, more()),
  }).toEqual({
    code: 1,
    printed: true,
    debugged: true,
    uploaded: true,
    fatal: true,
    carried: carried !== undefined,
    printedLeak: undefined,
    uploadedLeak: undefined,
  })
}

test('the search finds a canary in every spelling', () => {
  for (const canary of Object.values(CANARIES)) {
    for (const text of [canary, encodeURIComponent(canary), JSON.stringify(canary)]) {
      expect(leakIn(`before ${text} after`)).toBeDefined()
    }
    for (const before of ['', 'i', 'id', 'id:']) {
      expect(leakIn(Buffer.from(`${before}${canary}, and more`).toString('base64'))).toBeDefined()
      expect(leakIn(Buffer.from(`${before}${canary}, and more`).toString('hex'))).toBeDefined()
    }
  }
  expect(leakIn('any other text')).toBeUndefined()
  expect(leakIn('it holds another-secret', ['another-secret'])).toBeDefined()
})

test.concurrent('an API key', async () => {
  await expectNoLeak({ MICROMEGAS_INGESTION_API_KEY: CANARIES.apiKey }, { carried: CANARIES.apiKey })
})

test.concurrent('an API key in a file', async () => {
  const path = await file('api-key', `${CANARIES.apiKey}\n`)
  await expectNoLeak({ MICROMEGAS_INGESTION_API_KEY_FILE: path }, { carried: CANARIES.apiKey })
})

type Failure = (response: ServerResponse, echo: string) => void

/** Fails as it is told to, each time saying what it was sent, and then issues the token. */
async function startTokens(...failures: readonly Failure[]): Promise<TokenServer> {
  const tokens = await TokenServer.start(issues(300))
  tokens.answer = (response, n) => {
    const fail = failures[n - 1]
    const { form, authorization = '' } = tokens.requests[n - 1]!
    const basic = Buffer.from(authorization.slice(6), 'base64').toString()
    if (fail !== undefined) fail(response, `you sent ${authorization} ${basic} ${[...form].flat()}`)
    else json(response, 200, { access_token: CANARIES.token, token_type: 'bearer', expires_in: 300 })
  }
  return tokens
}

const unavailable: Failure = (response, echo) =>
  json(
    response,
    503,
    { error: 'server_error', error_description: echo },
    { 'retry-after': echo.slice(0, 40) },
  )
const page: Failure = (response, echo) =>
  void response.writeHead(200, { 'content-type': 'text/html' }).end(`<p>${echo}</p>${CANARIES.token}`)
const refuses: Failure = (response, echo) =>
  json(response, 401, { error: `invalid_client ${echo}`, error_description: echo })

function client(tokens: TokenServer): Record<string, string> {
  return { MICROMEGAS_OIDC_TOKEN_ENDPOINT: tokens.tokenEndpoint, MICROMEGAS_OIDC_CLIENT_ID: 'id' }
}

test.concurrent('a client secret in the form, and the token', async () => {
  await using tokens = await startTokens(unavailable, page)
  const env = { ...client(tokens), MICROMEGAS_OIDC_CLIENT_SECRET: CANARIES.clientSecret }
  await expectNoLeak(env, { carried: CANARIES.token })
  expect(tokens.requests[0]?.form.get('client_secret')).toBe(CANARIES.clientSecret)
})

test.concurrent('a client secret from a file in a header, which the provider refuses', async () => {
  await using tokens = await startTokens(...Array<Failure>(100).fill(refuses))
  const env = {
    ...client(tokens),
    MICROMEGAS_OIDC_CLIENT_SECRET_FILE: await file('client-secret', CANARIES.clientSecret),
    MICROMEGAS_OIDC_AUTH_METHOD: 'client_secret_basic',
  }
  await expectNoLeak(env, {})
  expect(tokens.requests[0]?.authorization).toMatch(/^Basic /)
})

test.concurrent('a signed assertion from a file, and the token', async () => {
  await using tokens = await startTokens(unavailable, page)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const exp = Math.floor(Date.now() / 1000) + 600
  const assertion = `${part({ alg: 'ES256' })}.${part({ sub: 'id', exp })}.${CANARIES.assertion}`
  const env = { ...client(tokens), MICROMEGAS_OIDC_CLIENT_ASSERTION_FILE: await file('assertion', assertion) }
  await expectNoLeak(env, { carried: CANARIES.token, more: () => [assertion] })
  expect(tokens.requests[0]?.form.get('client_assertion')).toBe(assertion)
})

test.concurrent('a private key, the assertions it signs, and the token', async () => {
  await using tokens = await startTokens(unavailable, page)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const { d = '' } = privateKey.export({ format: 'jwk' })
  const env = { ...client(tokens), MICROMEGAS_OIDC_PRIVATE_KEY_FILE: await file('key.pem', pem) }
  const assertions = () => tokens.requests.map(({ form }) => form.get('client_assertion') ?? '')
  const keyLines = pem.split('\n').slice(1, -2)
  await expectNoLeak(env, { carried: CANARIES.token, more: () => [d, ...keyLines, ...assertions()] })
  expect(assertions()[0]).toMatch(/^ey.+\..+\..+$/)
})

test.concurrent.each(['http', 'https'])('the password of a proxy for %s', async (scheme) => {
  await using service = await startService(({ headers }) => {
    const authorization = headers['proxy-authorization'] ?? ''
    return { status: 407, headers: { 'x-echo': authorization }, body: authorization }
  })
  service.server.on('connect', ({ headers }, socket) => {
    socket.end(`HTTP/1.1 407 ${headers['proxy-authorization']}\r\nx-echo: ${CANARIES.userinfo}\r\n\r\n`)
  })
  const proxy = `http://user:${CANARIES.userinfo}@127.0.0.1:${service.port}`
  const { stdout, stderr } = await run(
    {
      MICROMEGAS_TELEMETRY_URL: `${scheme}://telemetry.test`,
      MICROMEGAS_INGESTION_API_KEY: CANARIES.apiKey,
      MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS: '1',
      http_proxy: proxy,
      https_proxy: proxy,
    },
    '2',
  )
  expect(stdout + stderr).toContain(`through the proxy http://127.0.0.1:${service.port}`)
  expect(leakIn(stdout + stderr)).toBeUndefined()
})

const { userinfo, query } = CANARIES
test.each([
  ['the telemetry URL', { MICROMEGAS_TELEMETRY_URL: `http://user:${userinfo}@127.0.0.1:9/?key=${query}` }],
  [
    'a telemetry URL that is none',
    { MICROMEGAS_TELEMETRY_URL: `user:${userinfo}@127.0.0.1:port?key=${query}` },
  ],
  ['the query of the telemetry URL', { MICROMEGAS_TELEMETRY_URL: `http://127.0.0.1:9/?key=${query}` }],
  [
    'the token endpoint',
    {
      MICROMEGAS_TELEMETRY_URL: 'http://127.0.0.1:9',
      MICROMEGAS_OIDC_TOKEN_ENDPOINT: `https://user:${userinfo}@127.0.0.1:9/token?key=${query}`,
      MICROMEGAS_OIDC_CLIENT_ID: 'id',
      MICROMEGAS_OIDC_CLIENT_SECRET: CANARIES.clientSecret,
    },
  ],
  [
    'a key with a line break',
    { MICROMEGAS_TELEMETRY_URL: 'http://127.0.0.1:9', MICROMEGAS_INGESTION_API_KEY: `${CANARIES.apiKey}\nx` },
  ],
])('credentials in %s that end the start are not shown', async (_, env) => {
  const { code, stdout, stderr } = await run(env)
  expect(code).toBe(1)
  expect(stderr).toContain('ERR_TELEMETRY_CONFIG')
  expect(stdout).toBe('')
  expect(leakIn(stderr)).toBeUndefined()
})

test('credentials in a proxy variable that names no proxy are not shown', async () => {
  const { stdout, stderr } = await run(
    {
      MICROMEGAS_TELEMETRY_URL: 'http://telemetry.test',
      MICROMEGAS_INGESTION_API_KEY: CANARIES.apiKey,
      MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS: '1',
      http_proxy: `socks5://user:${userinfo}@127.0.0.1:9`,
    },
    '2',
  )
  expect(stderr).toContain('cannot use http_proxy')
  expect(leakIn(stdout + stderr)).toBeUndefined()
})
