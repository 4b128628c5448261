import { spawn } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { serialize } from 'node:v8'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { ApiKeyRequestDecorator } from '../../src/auth/api-key-request-decorator.ts'
import { readAuthEnv } from '../../src/auth/create-request-decorator.ts'
import { OidcClientCredentialsDecorator } from '../../src/auth/oidc/oidc-client-credentials-decorator.ts'
import type { OidcClientCredentialsOptions } from '../../src/auth/oidc/oidc-options.ts'
import type { RequestDecorator } from '../../src/auth/request-decorator.ts'
import { authorizationOf, uploadRequest } from './support/requests.ts'
import { json, type TokenAnswer, TokenServer } from './support/token-server.ts'

const CLIENT_SECRET = 'c4n4ry-client+secret/="1'
const API_KEY = 'c4n4ry-api-key'
const TOKEN = 'c4n4ry-token.with-a.signature'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'micromegas-auth-'))
})
afterAll(() => rm(directory, { recursive: true }))

/** Every way in which a log line, a crash report or a debugger shows a value. */
function everyPrintOf(value: unknown): string {
  const prints = [
    inspect(value, { showHidden: true, depth: 20, getters: true, maxStringLength: null, showProxy: true }),
    `${value instanceof Error ? value.stack : ''}`,
    JSON.stringify(value, (_key, part) =>
      part instanceof Error ? { ...part, text: `${part.stack}` } : part,
    ),
    JSON.stringify(Object.getOwnPropertyDescriptors(value)),
  ]
  for (let error = value; error instanceof Error; error = error.cause) {
    prints.push(String(error), String(error.stack), JSON.stringify(error), JSON.stringify({ ...error }))
    prints.push(
      serialize({ ...error, cause: undefined, message: error.message, stack: error.stack }).toString(
        'latin1',
      ),
    )
  }
  return prints.join('\n')
}

/** What gives a secret away: itself in any spelling, and parts long enough to be of use. */
function tellTales(): RegExp {
  const forms = [CLIENT_SECRET, API_KEY, TOKEN].flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ v: secret }).toString().slice(2),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64').slice(0, 12),
    Buffer.from(`id:${encodeURIComponent(secret)}`)
      .toString('base64')
      .slice(4, 20),
  ])
  return new RegExp(
    ['c4n4ry', ...forms.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))].join('|'),
  )
}

/** The console of the process while a test runs. */
function spyOnOutput(): () => string {
  const printed: unknown[] = []
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => printed.push(String(text)) > 0),
    ...(['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
      vi
        .spyOn(console, name)
        .mockImplementation((...parts) => void printed.push(inspect(parts, { depth: 20 }))),
    ),
  ]
  return () => {
    for (const spy of spies) spy.mockRestore()
    return printed.join('\n')
  }
}

const restore: (() => unknown)[] = []
afterEach(() => {
  for (const undo of restore.splice(0)) undo()
})

const echo: TokenAnswer = (response) =>
  json(response, 401, {
    error: `bad ${CLIENT_SECRET}`,
    error_description: `the secret ${CLIENT_SECRET} is wrong`,
  })

const answers: [string, TokenAnswer][] = [
  ['issues a token', (r) => json(r, 200, { access_token: TOKEN, token_type: 'bearer', expires_in: 300 })],
  ['echoes the secret in its refusal', echo],
  [
    'echoes the secret in a redirect',
    (r) => void r.writeHead(302, { location: `/x/${encodeURIComponent(CLIENT_SECRET)}` }).end(),
  ],
  [
    'sends a bare token for JSON',
    (r) => void r.writeHead(200, { 'content-type': 'application/json' }).end(TOKEN),
  ],
  [
    'breaks off within the token',
    (r) => void r.writeHead(200, { 'content-type': 'application/json' }).end(`{"access_token":"${TOKEN}`),
  ],
  ['sends a token without a type', (r) => json(r, 200, { access_token: TOKEN })],
  ['sends a token of another type', (r) => json(r, 200, { access_token: TOKEN, token_type: 'mac' })],
  [
    'sends a token with a line break',
    (r) => json(r, 200, { access_token: `${TOKEN}\n`, token_type: 'bearer' }),
  ],
  ['sends a token with an error status', (r) => json(r, 500, { access_token: TOKEN })],
  [
    'puts secrets into every header',
    (r) => void r.writeHead(401, { 'www-authenticate': `Bearer realm="${TOKEN}"`, 'x-echo': API_KEY }).end(),
  ],
  [
    'puts the token into the content type',
    (r) => void r.writeHead(200, { 'content-type': `text/x; ${API_KEY}` }).end(),
  ],
]

test.each(answers)(
  'when the provider %s, nothing that is printed or thrown shows a secret',
  async (name, answer) => {
    const output = spyOnOutput()
    restore.push(output)
    const found: string[] = []
    await using server = await TokenServer.start(answer)
    const proofs: Partial<OidcClientCredentialsOptions>[] = [
      { clientSecret: CLIENT_SECRET },
      { clientSecret: CLIENT_SECRET, authMethod: 'client_secret_basic' },
    ]
    for (const proof of proofs) {
      const decorator = new OidcClientCredentialsDecorator({
        tokenEndpoint: server.tokenEndpoint,
        clientId: 'id',
        ...proof,
      })
      for (let attempt = 0; attempt < 2; attempt++) {
        try {
          await authorizationOf(decorator)
        } catch (error) {
          found.push(everyPrintOf(error))
        }
      }
      found.push(everyPrintOf(decorator))
    }
    expect(found.length).toBeGreaterThanOrEqual(name === 'issues a token' ? 2 : 6)
    found.push(output())
    const shown = found.join('\n')
    expect(tellTales().exec(shown)?.[0]).toBeUndefined()
  },
)

test('a fetch whose errors hold the request, headers and body included, gives nothing away', async () => {
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: 'https://idp.example/token',
    clientId: 'id',
    clientSecret: CLIENT_SECRET,
    authMethod: 'client_secret_basic',
    fetch: (url, request) => {
      const inner = Object.assign(new Error(`tunnel failed: ${inspect(request.headers)}`), {
        config: { url, request },
      })
      return Promise.reject(
        Object.assign(new TypeError(`fetch failed: ${request.body}`, { cause: inner }), { request }),
      )
    },
  })
  const errors = await Promise.allSettled([authorizationOf(decorator)])
  const printed = everyPrintOf(errors[0]?.status === 'rejected' ? errors[0].reason : undefined)
  expect(printed).toContain('tunnel failed')
  expect(tellTales().exec(printed)?.[0]).toBeUndefined()
})

test('decorators, their options from the environment, and promises of theirs print no secret', async () => {
  const env = {
    MICROMEGAS_INGESTION_API_KEY: API_KEY,
    MICROMEGAS_OIDC_TOKEN_ENDPOINT: 'https://idp.example/token',
    MICROMEGAS_OIDC_CLIENT_ID: 'id',
    MICROMEGAS_OIDC_CLIENT_SECRET: CLIENT_SECRET,
  }
  const path = join(directory, 'key')
  await writeFile(path, API_KEY)
  const decorators: RequestDecorator[] = [
    ApiKeyRequestDecorator.fromEnv(env),
    ApiKeyRequestDecorator.fromFile(path),
    OidcClientCredentialsDecorator.fromEnv(env),
  ]
  const waiting = decorators[1]?.decorate(uploadRequest(), AbortSignal.timeout(1000))
  await waiting
  expect(tellTales().exec(everyPrintOf({ decorators, auth: readAuthEnv(env), waiting }))?.[0]).toBeUndefined()
})

test('keys and assertions in files stay out of errors, whatever is wrong with them', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const keyLine = pem.split('\n')[1] ?? ''
  const spoilt: [string, keyof OidcClientCredentialsOptions][] = [
    [pem.replace(keyLine, `${keyLine.slice(0, 30)}c4n4ry`), 'privateKeyFile'],
    [JSON.stringify({ ...createPrivateKey(pem).export({ format: 'jwk' }), kty: 'c4n4ry' }), 'privateKeyFile'],
    [`{"kty":"EC","d":"c4n4ry"`, 'privateKeyFile'],
    ['c4n4ry not a jwt', 'clientAssertionFile'],
    ['c4n4ry\nsecret', 'clientSecretFile'],
  ]
  for (const [text, option] of spoilt) {
    const path = join(directory, 'proof')
    await writeFile(path, text)
    const options = { tokenEndpoint: 'https://idp.example', clientId: 'id', [option]: path }
    let thrown: unknown
    try {
      new OidcClientCredentialsDecorator(options)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: 'ERR_TELEMETRY_CONFIG' })
    const printed = everyPrintOf(thrown).replaceAll(directory, '')
    expect(tellTales().exec(printed)?.[0]).toBeUndefined()
    expect(printed).not.toContain(keyLine.slice(0, 20))
  }
})

test('a process that dies of the error, with every debug log of Node on, prints no secret', async () => {
  await using server = await TokenServer.start(echo)
  const script = `
    import { OidcClientCredentialsDecorator } from ${JSON.stringify(new URL('../../src/auth/oidc/oidc-client-credentials-decorator.ts', import.meta.url).href)}
    const decorator = OidcClientCredentialsDecorator.fromEnv()
    console.log(decorator)
    await decorator.decorate({ headers: new Headers() }, AbortSignal.timeout(5000))
  `
  const file = join(directory, 'child.mts')
  await writeFile(file, script)
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    env: {
      ...process.env,
      NODE_DEBUG: 'fetch,undici,http,net,tls',
      MICROMEGAS_OIDC_TOKEN_ENDPOINT: server.tokenEndpoint,
      MICROMEGAS_OIDC_CLIENT_ID: 'id',
      MICROMEGAS_OIDC_CLIENT_SECRET: CLIENT_SECRET,
    },
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  child.stderr.on('data', (chunk) => chunks.push(chunk))
  const [exitCode] = await once(child, 'close')
  const printed = Buffer.concat(chunks).toString('utf8').replaceAll(directory, '')
  expect(exitCode).toBe(1)
  expect(printed).toContain('CredentialsUnavailableError')
  expect(tellTales().exec(printed)?.[0]).toBeUndefined()
})
