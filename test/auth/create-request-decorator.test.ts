import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiKeyRequestDecorator } from '../../src/auth/api-key-request-decorator.ts'
import { CredentialsConfigError } from '../../src/auth/config-error.ts'
import { createRequestDecorator, readAuthEnv } from '../../src/auth/create-request-decorator.ts'
import { OidcClientCredentialsDecorator } from '../../src/auth/oidc/oidc-client-credentials-decorator.ts'
import type { OidcClientCredentialsOptions } from '../../src/auth/oidc/oidc-options.ts'

const TRIO = {
  MICROMEGAS_OIDC_TOKEN_ENDPOINT: 'https://idp.example/token',
  MICROMEGAS_OIDC_CLIENT_ID: 'shop',
  MICROMEGAS_OIDC_CLIENT_SECRET: 'canary-secret',
}

let directory: string
let secretFile: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'micromegas-auth-'))
  secretFile = join(directory, 'secret')
  await writeFile(secretFile, 'canary-secret\n')
})
afterAll(() => rm(directory, { recursive: true }))

function problemsOf(make: () => unknown): readonly string[] {
  try {
    make()
  } catch (error) {
    if (!(error instanceof CredentialsConfigError)) throw error
    expect(error.code).toBe('ERR_TELEMETRY_CONFIG')
    for (const problem of error.problems) expect(error.message).toContain(problem)
    return error.problems
  }
  return []
}

test('an API key comes first, then OIDC, then none', () => {
  const kindOf = (env: NodeJS.ProcessEnv): unknown => {
    const { config, problems } = readAuthEnv(env)
    expect(problems).toEqual([])
    return createRequestDecorator(config)?.constructor
  }
  expect(kindOf({ ...TRIO, MICROMEGAS_INGESTION_API_KEY: 'mmk_1' })).toBe(ApiKeyRequestDecorator)
  expect(kindOf({ ...TRIO, MICROMEGAS_INGESTION_API_KEY_FILE: secretFile })).toBe(ApiKeyRequestDecorator)
  expect(kindOf({ ...TRIO, MICROMEGAS_INGESTION_API_KEY: ' ' })).toBe(OidcClientCredentialsDecorator)
  expect(kindOf(TRIO)).toBe(OidcClientCredentialsDecorator)
  expect(kindOf({ MICROMEGAS_TELEMETRY_URL: 'http://localhost:9000' })).toBe(undefined)
})

test('a blank API key and nothing else is a problem, not an upload without credentials', () => {
  expect(readAuthEnv({ MICROMEGAS_INGESTION_API_KEY: ' ' }).problems).toEqual([
    'MICROMEGAS_INGESTION_API_KEY is empty',
  ])
})

test('everything wrong is told together, by variable name, with no value in it', () => {
  const { problems } = readAuthEnv({
    MICROMEGAS_INGESTION_API_KEY: 'canary\u0007key',
    MICROMEGAS_INGESTION_API_KEY_FILE: '/canary/path',
    MICROMEGAS_OIDC_TOKEN_ENDPOINT: 'canary endpoint',
    MICROMEGAS_OIDC_ISSUER: 'http://canary.example',
    MICROMEGAS_OIDC_CLIENT_SECRET: 'canary\nsecret',
    MICROMEGAS_OIDC_AUTH_METHOD: 'canary',
    MICROMEGAS_OIDC_RESOURCE: 'canary',
    MICROMEGAS_OIDC_TOKEN_BUFFER_SECONDS: '-1canary',
    MICROMEGAS_OIDC_PRIVATE_KEY_ID: 'canary',
  })
  expect(problems).toEqual([
    'set MICROMEGAS_INGESTION_API_KEY or MICROMEGAS_INGESTION_API_KEY_FILE, not both',
    'MICROMEGAS_OIDC_TOKEN_ENDPOINT: expected an https URL',
    expect.stringContaining('MICROMEGAS_OIDC_ISSUER: expected an https URL'),
    'MICROMEGAS_OIDC_CLIENT_ID is missing',
    'MICROMEGAS_OIDC_AUTH_METHOD: expected client_secret_post or client_secret_basic',
    'MICROMEGAS_OIDC_PRIVATE_KEY_ID needs MICROMEGAS_OIDC_PRIVATE_KEY_FILE',
    'MICROMEGAS_OIDC_CLIENT_SECRET has control characters, such as a line break',
    'MICROMEGAS_OIDC_RESOURCE: expected an absolute URI without a fragment',
    'MICROMEGAS_OIDC_TOKEN_BUFFER_SECONDS: expected a number from 0 to 1000000000',
  ])
  expect(JSON.stringify(problems)).not.toContain('canary')
})

test.each(Object.keys(TRIO))('without %s the trio is half-set, an error that names it', (missing) => {
  const problems = readAuthEnv({ ...TRIO, [missing]: '' }).problems
  expect(problems).toEqual([expect.stringContaining(missing)])
  expect(problems[0]).toContain('is missing')
  const made = problemsOf(() => OidcClientCredentialsDecorator.fromEnv({ ...TRIO, [missing]: undefined }))
  expect(made).toEqual(problems)
})

test('a lone audience or scope counts as half-set too, and so does no variable at all where OIDC is asked for', () => {
  for (const variable of ['MICROMEGAS_OIDC_AUDIENCE', 'MICROMEGAS_OIDC_SCOPE']) {
    expect(readAuthEnv({ [variable]: 'x' }).problems).toHaveLength(3)
  }
  expect(problemsOf(() => OidcClientCredentialsDecorator.fromEnv({}))).toEqual([
    'MICROMEGAS_OIDC_TOKEN_ENDPOINT (or MICROMEGAS_OIDC_ISSUER) is missing',
    'MICROMEGAS_OIDC_CLIENT_ID is missing',
    expect.stringMatching(
      /^MICROMEGAS_OIDC_CLIENT_SECRET \(or .*_SECRET_FILE.*_ASSERTION_FILE.*_KEY_FILE\) is missing$/,
    ),
  ])
})

test('half-set OIDC variables are told of even when an API key makes them unneeded today', () => {
  const { problems } = readAuthEnv({
    MICROMEGAS_INGESTION_API_KEY: 'mmk_1',
    MICROMEGAS_OIDC_CLIENT_ID: 'shop',
  })
  expect(problems).toHaveLength(2)
})

test('all three of a client secret, its file and another proof at once is an error', () => {
  const env = {
    ...TRIO,
    MICROMEGAS_OIDC_CLIENT_SECRET_FILE: secretFile,
    MICROMEGAS_OIDC_PRIVATE_KEY_FILE: secretFile,
  }
  expect(readAuthEnv(env).problems).toEqual([
    'set only one of MICROMEGAS_OIDC_CLIENT_SECRET, MICROMEGAS_OIDC_CLIENT_SECRET_FILE, MICROMEGAS_OIDC_PRIVATE_KEY_FILE',
  ])
})

test.each([
  ['MICROMEGAS_OIDC_CLIENT_SECRET_FILE', '/no/such/file', 'does not exist'],
  ['MICROMEGAS_OIDC_CLIENT_ASSERTION_FILE', '', 'no signed JWT'],
  ['MICROMEGAS_OIDC_PRIVATE_KEY_FILE', '', 'no private key in PEM or JWK form'],
])('%s that cannot be used is told at the start', (variable, path, words) => {
  const { MICROMEGAS_OIDC_CLIENT_SECRET: _, ...rest } = TRIO
  const { problems } = readAuthEnv({ ...rest, [variable]: path || secretFile })
  expect(problems).toEqual([expect.stringContaining(variable)])
  expect(problems[0]).toContain(words)
  expect(problems[0]).not.toContain('canary')
})

test('an auth method belongs to a client secret', () => {
  const { MICROMEGAS_OIDC_CLIENT_SECRET: _, ...rest } = TRIO
  const { problems } = readAuthEnv({
    ...rest,
    MICROMEGAS_OIDC_CLIENT_ASSERTION_FILE: secretFile,
    MICROMEGAS_OIDC_AUTH_METHOD: 'client_secret_basic',
  })
  expect(problems[0]).toContain('MICROMEGAS_OIDC_AUTH_METHOD applies to a client secret only')
})

const OPTIONS: OidcClientCredentialsOptions = {
  tokenEndpoint: 'https://idp.example/token',
  clientId: 'shop',
  clientSecret: 'canary-secret',
}

test.each<[string, Partial<Record<keyof OidcClientCredentialsOptions | 'tokenEndPoint', unknown>>, string]>([
  ['a misspelt option', { tokenEndPoint: 'x' }, 'tokenEndPoint: no such option'],
  ['a buffer below zero', { tokenBufferSeconds: -1 }, 'tokenBufferSeconds: expected a number from 0'],
  ['a time limit of zero', { requestTimeoutMs: 0 }, 'requestTimeoutMs: expected a number from 1 to 600000'],
  ['a time limit above the largest', { requestTimeoutMs: 600_001 }, 'requestTimeoutMs: expected'],
  ['a retry that is no number', { refusedRetryMs: Number.NaN }, 'refusedRetryMs: expected'],
  ['a client id that is no text', { clientId: 7 }, 'clientId: expected text'],
  ['a secret that is no text', { clientSecret: 7 }, 'clientSecret: expected text'],
  [
    'a user name in the URL',
    { tokenEndpoint: 'https://canary@idp.example' },
    'expected a URL without user name and password',
  ],
  [
    'plain http to another machine',
    { tokenEndpoint: 'http://idp.example' },
    'plain http would show the credentials',
  ],
  ['another protocol', { tokenEndpoint: 'ftp://idp.example' }, 'tokenEndpoint: expected an https URL'],
  ['a resource with a fragment', { resource: 'https://a.example/#b' }, 'resource: expected an absolute URI'],
])('%s in the options is an error that names the option', (_name, change, words) => {
  const options = { ...OPTIONS, ...change } as OidcClientCredentialsOptions
  const problems = problemsOf(() => new OidcClientCredentialsDecorator(options))
  expect(problems).toHaveLength(1)
  expect(problems[0]).toContain(words)
  expect(problems[0]).not.toContain('canary')
})

test('the limits themselves are accepted', () => {
  for (const change of [
    { tokenBufferSeconds: 0 },
    { requestTimeoutMs: 1 },
    { requestTimeoutMs: 600_000 },
    { tokenEndpoint: 'http://127.0.0.1:8080/token' },
    { tokenEndpoint: new URL('http://localhost/token') },
    { issuer: 'https://idp.example' },
  ]) {
    expect(problemsOf(() => new OidcClientCredentialsDecorator({ ...OPTIONS, ...change }))).toEqual([])
  }
})

test('settings from code are called by their option names', () => {
  expect(problemsOf(() => createRequestDecorator({ apiKey: '' }))).toEqual(['apiKey is empty'])
  expect(problemsOf(() => createRequestDecorator({ apiKey: 'a', apiKeyFile: 'b' }))).toEqual([
    'set apiKey or apiKeyFile, not both',
  ])
  expect(problemsOf(() => createRequestDecorator({ apiKeyFile: '/no/such/file' }))).toEqual([
    'apiKeyFile names a file that does not exist',
  ])
})
