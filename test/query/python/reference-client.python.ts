import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startServer } from '../../../server/src/index.ts'
import { OidcAuthProvider } from '../../../src/auth/login/oidc-auth-provider.ts'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { fmetric } from '../../../src/tracing/metric.ts'
import { asyncSpan, span } from '../../../src/tracing/spans/span.ts'
import { startLoginProvider } from '../../auth/support/login-provider.ts'
import { expireIn, logInto } from '../../auth/support/stored-login.ts'
import { startTelemetry } from '../../support/telemetry-service.ts'

const script = fileURLToPath(new URL('reference_client.py', import.meta.url))

/** Runs the platform's own Python client. */
async function python(...args: readonly string[]): Promise<Record<string, unknown>> {
  const interpreter = process.env.MICROMEGAS_TEST_PYTHON
  if (interpreter === undefined) throw new Error('start these tests by npm run test:python')
  const { stdout } = await promisify(execFile)(interpreter, [script, ...args], {
    env: { ...process.env, AUTHLIB_INSECURE_TRANSPORT: '1', PYTHONWARNINGS: 'ignore' },
  })
  return JSON.parse(stdout.trim().split('\n').at(-1)!)
}

test('every call of the Python client is answered by micromegas-server', async () => {
  await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  const telemetry = startTelemetry(server.url)
  logger('shop').info('placed', { order: 7 })
  logger('shop').warn('late')
  fmetric('latency', 'ms').record(1.5)
  await asyncSpan('request', async () => {
    span('parse', () => {})
    span('render', () => {})
  })
  await telemetry.shutdown()
  const [row] = await server.query('SELECT process_id FROM processes')
  const id = String(row!.process_id)
  const answers = await python('calls', server.flightUri, id)
  expect(answers).toEqual({
    query: [
      { level: 4, target: 'shop', msg: 'placed', number: '7' },
      { level: 3, target: 'shop', msg: 'late', number: null },
    ],
    query_without_range: [{ n: 2 }],
    query_stream: 2,
    query_arrow: ['level', 'target', 'msg', 'number'],
    prepare_statement: expect.arrayContaining(['level: int32', expect.stringMatching(/^msg: string/)]),
    prepared_statement_stream: 2,
    find_process: [{ process_id: id, exe: expect.any(String) }],
    query_streams: expect.arrayContaining(['cpu', 'log', 'metrics']),
    query_streams_by_tag: 1,
    query_blocks: expect.any(Number),
    query_spans: ['parse', 'render'],
    list_partitions: expect.arrayContaining(['log_entries']),
    after_materialize: [{ n: 2 }],
    after_retire: [{ n: 2 }],
    write_process_trace: true,
    error: [expect.any(String), true],
  })
  expect(answers.query_blocks).toBeGreaterThanOrEqual(2 + 1 + 2 + 4)
})

test('rows that the Python client reads from one server, it writes to another', async () => {
  const options = { port: 0, flightPort: 0, temporary: true, disableAuth: true }
  await using origin = await startServer(options)
  await using copy = await startServer(options)
  const telemetry = startTelemetry(origin.url)
  logger('shop').info('placed', { order: 7 })
  await telemetry.shutdown()
  const [counts] = await origin.query(
    'SELECT (SELECT count(*) FROM streams) AS streams, (SELECT count(*) FROM blocks) AS blocks',
  )
  expect(await python('replicate', origin.flightUri, copy.flightUri)).toEqual({
    processes: 1,
    streams: Number(counts!.streams),
    blocks: Number(counts!.blocks),
    example: 1,
  })
  const stored = await fetch(`${copy.url}/api/processes`)
  expect(await stored.json()).toMatchObject({ rows: { length: 2 } })
})

test('an ADBC driver reads answers and the catalog', async () => {
  await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  const telemetry = startTelemetry(server.url)
  logger('shop').info('placed')
  logger('shop').warn('late')
  await telemetry.shutdown()
  expect(await python('adbc', server.flightUri)).toEqual({
    rows: [
      [4, 'shop', 'placed'],
      [3, 'shop', 'late'],
    ],
    columns: ['level', 'target', 'msg'],
    time: 'timestamp[ns, tz=+00:00]',
    tables: expect.arrayContaining(['blocks', 'log_entries', 'measures', 'processes', 'streams']),
    table_types: expect.arrayContaining(['table']),
    schema: expect.any(Array),
    vendor: expect.any(String),
    error: [expect.any(String), true],
  })
})

test('token files go both ways: ours is read there, and what it writes is read here', async () => {
  await using provider = await startLoginProvider()
  const folder = mkdtempSync(join(tmpdir(), 'micromegas-tokens-'))
  const tokenFile = join(folder, 'own', 'tokens.json')
  try {
    const auth = await logInto(provider.issuer, tokenFile)
    const token = await auth.getToken()
    expect(await python('token', tokenFile)).toEqual({ token })
    // It writes the file in its own form.
    const before = readFileSync(tokenFile, 'utf8')
    expect(await python('save', tokenFile)).toEqual({ token })
    expect(readFileSync(tokenFile, 'utf8')).not.toBe(before)
    const ours = await OidcAuthProvider.fromFile(tokenFile)
    expect(await ours.getToken()).toBe(token)
    expect(ours.user).toMatchObject({ sub: 'alice' })
    expireIn(tokenFile, 10)
    const refreshed = await (await OidcAuthProvider.fromFile(tokenFile)).getToken()
    expect(refreshed).not.toBe(token)
    expect(await python('token', tokenFile)).toEqual({ token: refreshed })
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600)
    expect(readFileSync(tokenFile, 'utf8')).not.toContain('secret')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
