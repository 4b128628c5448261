import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, expect, test, vi } from 'vitest'
import { routeDiagnostics } from '../../src/config/diagnostics.ts'
import { parseAnalyticsUri } from '../../src/query/flight/analytics-uri.ts'
import { AuthenticationError, FlightSQLClient, type FlightSQLClientOptions } from '../../src/query/index.ts'
import { answerShortly, type RawCall, startRawServer } from './support/raw-server.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** Answers those who have the token, and keeps every header. */
async function startGuardedServer(token: string) {
  const headers: RawCall['headers'][] = []
  const server = await startRawServer((call) => {
    headers.push(call.headers)
    if (call.headers.authorization === `Bearer ${token}`) answerShortly(call)
    else call.end(16, 'invalid token')
  })
  return { ...server, headers, uri: `grpc://127.0.0.1:${server.port}` }
}

test('an API key is sent with each call', async () => {
  await using server = await startGuardedServer('mmk_1')
  await using client = new FlightSQLClient(server.uri, { apiKey: ' mmk_1\n' })
  expect((await client.query('select 1')).numRows).toBe(100)
  expect(inspect(client, { depth: 9, showHidden: true })).not.toContain('mmk_1')
})

test('a provider is asked for a token before each call', async () => {
  await using server = await startGuardedServer('t2')
  const tokens = ['t1', 't2']
  await using client = new FlightSQLClient(server.uri, {
    authProvider: { getToken: async () => tokens.shift()! },
  })
  await expect(client.query('select 1')).rejects.toBeInstanceOf(AuthenticationError)
  expect((await client.query('select 1')).numRows).toBe(100)
})

test('refused credentials are an AuthenticationError, whether some were sent or not', async () => {
  await using server = await startGuardedServer('right')
  await using wrong = new FlightSQLClient(server.uri, { apiKey: 'wrong' })
  await expect(wrong.query('select 1')).rejects.toMatchObject({
    name: 'AuthenticationError',
    code: 'UNAUTHENTICATED',
    message: `Cannot run the query: ${server.uri} refuses the credentials: invalid token`,
  })
  await using none = new FlightSQLClient(server.uri)
  await expect(none.query('select 1')).rejects.toMatchObject({
    message: expect.stringContaining('invalid token (none were sent: set MICROMEGAS_ANALYTICS_API_KEY,'),
  })
})

test.each([
  ['no text', undefined],
  ['nothing', ''],
  ['a line break', 'secret\r\nx-admin: 1'],
  ['letters that no header carries', 'sécret'],
])('a token that is %s is not sent, and not shown', async (_, token) => {
  await using server = await startGuardedServer('right')
  await using client = new FlightSQLClient(server.uri, {
    authProvider: { getToken: async () => token as string },
  })
  const failure: Error = await client.query('select 1').catch((error) => error)
  expect(failure).toBeInstanceOf(AuthenticationError)
  expect(inspect(failure)).not.toMatch(/s.cret/)
  expect(server.headers).toHaveLength(0)
})

test('what keeps a provider from a token fails the call as it is; an abort ends the wait', async () => {
  const trouble = new Error('not logged in')
  await using client = new FlightSQLClient('grpc://127.0.0.1:1', {
    authProvider: { getToken: () => Promise.reject(trouble) },
  })
  await expect(client.query('select 1')).rejects.toBe(trouble)
  await using patient = new FlightSQLClient('grpc://127.0.0.1:1', {
    authProvider: { getToken: () => new Promise(() => {}) },
  })
  await expect(patient.query('select 1', { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
    name: 'TimeoutError',
  })
  await expect(patient.query('select 1', { timeoutMs: 20 })).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
  })
})

test('the server is told what asks: the kind of client, its entry point, its session', async () => {
  vi.stubEnv('MICROMEGAS_CLIENT_AGENT', 'bot')
  await using server = await startGuardedServer('k')
  await using client = new FlightSQLClient(server.uri, {
    apiKey: 'k',
    clientEntrypoint: 'cli-query',
    headers: { 'x-team': 'shop' },
    preserveDictionary: true,
  })
  await client.query('select 1', {
    begin: '2026-11-25T22:00:00Z',
    end: new Date('2026-11-25T23:00:00Z'),
    limit: 5,
    headers: { 'x-cell': '7' },
  })
  await client.query('select 1', { preserveDictionary: false })
  const [first, second] = server.headers
  expect(first).toMatchObject({
    'x-client-type': 'nodejs',
    'x-client-agent': 'bot',
    'x-client-entrypoint': 'cli-query',
    'x-client-session': expect.stringMatching(/^[0-9a-f-]{36}$/),
    'x-team': 'shop',
    'x-cell': '7',
    query_range_begin: '2026-11-25T22:00:00Z',
    query_range_end: '2026-11-25T23:00:00Z',
    limit: '5',
    preserve_dictionary: 'true',
  })
  expect(second!['x-client-session']).toBe(first!['x-client-session'])
  for (const name of ['x-cell', 'query_range_begin', 'query_range_end', 'limit', 'preserve_dictionary']) {
    expect(second).not.toHaveProperty(name)
  }
})

test.each<[string, FlightSQLClientOptions | undefined]>([
  ['ftp://host', undefined],
  ['host:50051', undefined],
  ['grpc://', undefined],
  ['grpc://host:99999', undefined],
  ['grpc://user:secret@host', undefined],
  ['grpc://host/path', undefined],
  ['grpc://host', { apiKey: '' }],
  ['grpc://host', { apiKey: 'secret\nx' }],
  ['grpc://localhost', { apiKey: 'a', authProvider: { getToken: async () => 'b' } }],
  ['grpc://host', { ca: 'x' }],
  ['grpc://host', { clientEntrypoint: 'x'.repeat(65) }],
  ['grpc://host', { apiKey: 'secret', requireTls: true }],
])('%s with %o cannot be used, and no secret is shown', (uri, options) => {
  let failure: unknown
  try {
    new FlightSQLClient(uri, options)
  } catch (error) {
    failure = error
  }
  expect(failure).toMatchObject({
    code: 'ERR_TELEMETRY_CONFIG',
    message: expect.stringMatching(/^Cannot use /),
  })
  expect(inspect(failure)).not.toContain('secret')
})

test.each<FlightSQLClientOptions>([
  { connectTimeoutMs: 0 },
  { timeoutMs: -1 },
  { keepaliveMs: 10 },
  { maxMessageBytes: 1.5 },
  { headers: { 'X-Upper': 'x' } },
  { headers: { 'x-a': 'line\nbreak' } },
  { headers: { 'grpc-timeout': '1' } },
  { int64: 'float' as never },
  { timestamps: 'seconds' as never },
  { jsonb: 'properties' as never },
])('%o is a mistake of the caller', (options) => {
  expect(() => new FlightSQLClient('grpc://host', options)).toThrow(/^Cannot (use|send)/)
})

test.each([
  ['grpc://host', 'grpc://host:50051'],
  ['grpc://host:80', 'grpc://host:80'],
  ['http://host:443/', 'grpc://host:443'],
  ['grpc+tcp://Host', 'grpc://host:50051'],
  ['GRPC+TLS://host', 'grpc+tls://host:50051'],
  ['https://host', 'grpc+tls://host:443'],
  ['https://host:443', 'grpc+tls://host:443'],
  ['grpc+tls://host:443', 'grpc+tls://host:443'],
  ['grpc://[::1]:7', 'grpc://[::1]:7'],
  [' grpc://127.0.0.1 ', 'grpc://127.0.0.1:50051'],
])('%s is %s', (uri, label) => {
  expect(parseAnalyticsUri(uri).label).toBe(label)
})

test('credentials that go unencrypted to another machine are warned of', () => {
  const said: string[] = []
  const routeBack = routeDiagnostics((message) => said.push(message))
  new FlightSQLClient('grpc://127.0.0.1', { apiKey: 'k' })
  new FlightSQLClient('grpc+tls://host', { apiKey: 'k' })
  new FlightSQLClient('grpc://host')
  expect(said).toEqual([])
  new FlightSQLClient('grpc://host', { apiKey: 'k' })
  routeBack()
  expect(said.join()).toContain('credentials are sent unencrypted to grpc://host:50051')
})

test('the environment gives the server and the key, and options win', async () => {
  await using server = await startGuardedServer('from-file')
  const folder = mkdtempSync(join(tmpdir(), 'micromegas-key-'))
  try {
    writeFileSync(join(folder, 'key'), 'from-file\n')
    vi.stubEnv('MICROMEGAS_ANALYTICS_URI', server.uri)
    vi.stubEnv('MICROMEGAS_ANALYTICS_API_KEY', ' ')
    vi.stubEnv('MICROMEGAS_ANALYTICS_API_KEY_FILE', join(folder, 'key'))
    await using client = FlightSQLClient.fromEnv()
    expect((await client.query('select 1')).numRows).toBe(100)
    await using other = FlightSQLClient.fromEnv({ apiKey: 'other' })
    await expect(other.query('select 1')).rejects.toBeInstanceOf(AuthenticationError)
    vi.stubEnv('MICROMEGAS_ANALYTICS_API_KEY', 'both')
    expect(() => FlightSQLClient.fromEnv()).toThrow(
      'set MICROMEGAS_ANALYTICS_API_KEY or MICROMEGAS_ANALYTICS_API_KEY_FILE, not both',
    )
    vi.stubEnv('MICROMEGAS_ANALYTICS_API_KEY', '')
    vi.stubEnv('MICROMEGAS_ANALYTICS_API_KEY_FILE', join(folder, 'none'))
    expect(() => FlightSQLClient.fromEnv()).toThrow(
      /MICROMEGAS_ANALYTICS_API_KEY_FILE names a file that does not exist/,
    )
    vi.stubEnv('MICROMEGAS_ANALYTICS_API_KEY_FILE', '')
    vi.stubEnv('MICROMEGAS_REQUIRE_TLS', 'perhaps')
    expect(() => FlightSQLClient.fromEnv()).toThrow(
      'Cannot use MICROMEGAS_REQUIRE_TLS: expected true or false',
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('queries have to be text, and their options possible', async () => {
  await using client = new FlightSQLClient('grpc://127.0.0.1:1')
  await expect(client.query(' ')).rejects.toThrow('Cannot run the query: expected SQL as text')
  await expect(client.query(undefined as never)).rejects.toThrow(TypeError)
  await expect(client.query('select 1', { limit: -1 })).rejects.toThrow(RangeError)
  await expect(client.query('select 1', { timeoutMs: 0 })).rejects.toThrow(RangeError)
  expect(() => client.queryRows('select 1', { end: '1h' })).toThrow(TypeError)
})
