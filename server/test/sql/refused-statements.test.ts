import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FlightSQLClient } from '../../../src/query/index.ts'
import { AUDIENCE, type Issuer, type SigningKey, signingKey, startIssuer } from '../support/issuer.ts'
import { insert, insertBlocks, send, startServer, type TestServer } from '../support/server.ts'
import { logBlock, processBody, process as processInfo, stream, streamBody } from '../support/telemetry.ts'

const KEY = 'mmk_0123456789abcdef0123456789abcdef'
const SECRET = 'a-secret-that-no-answer-holds'
const MARK = 'made-by-a-statement'

let folder: string
let issuer: Issuer
let key: SigningKey
let guarded: TestServer
let open: TestServer
let statements: readonly string[]

async function fill(server: TestServer): Promise<void> {
  const shop = processInfo()
  const logs = stream(shop, 'log')
  await insert(server, 'process', processBody(shop))
  await insert(server, 'stream', streamBody(logs))
  await insertBlocks(server, logBlock(shop, logs, [{ at: 1_000, message: 'kept' }]))
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refused-'))
  await writeFile(join(folder, 'secret.csv'), `a\n${SECRET}\n`)
  process.env.MICROMEGAS_TEST_SECRET = SECRET
  const secret = join(folder, 'secret.csv')
  const made = join(folder, MARK)
  statements = [
    // Files, and what reads them.
    `SELECT * FROM '${secret}'`,
    `SELECT * FROM "${secret}"`,
    `SELECT * FROM read_csv('${secret}')`,
    `SELECT * FROM read_csv_auto('${secret}')`,
    `SELECT * FROM read_text('${secret}')`,
    `SELECT * FROM read_blob('${secret}')`,
    `SELECT * FROM read_json('${secret}')`,
    `SELECT * FROM read_parquet('${secret}')`,
    `SELECT * FROM sniff_csv('${secret}')`,
    `SELECT * FROM glob('${folder}/*')`,
    `SELECT * FROM parquet_scan('${secret}')`,
    `SELECT (SELECT content FROM read_text('${secret}')) FROM log_entries`,
    `WITH x AS (SELECT * FROM read_text('${secret}')) SELECT * FROM x`,
    `SELECT * FROM log_entries WHERE msg IN (SELECT content FROM read_text('${secret}'))`,
    // What the engine tells of itself, its host and its secrets.
    "SELECT getenv('MICROMEGAS_TEST_SECRET')",
    "SELECT current_setting('temp_directory')",
    'SELECT * FROM duckdb_settings()',
    'SELECT * FROM duckdb_secrets()',
    'SELECT * FROM duckdb_databases()',
    'SELECT * FROM duckdb_tables()',
    'SELECT * FROM duckdb_extensions()',
    'SELECT * FROM pragma_database_list',
    "SELECT * FROM pragma_table_info('log_entries')",
    'SELECT * FROM sqlite_master',
    'SELECT * FROM pg_catalog.pg_tables',
    "SELECT * FROM query('select 1')",
    "SELECT * FROM query_table('log_entries')",
    // Statements that change something, or could.
    `COPY (SELECT 1) TO '${made}'`,
    `COPY log_entries TO '${made}'`,
    `COPY log_entries FROM '${secret}'`,
    `ATTACH '${made}' AS other`,
    'DETACH other',
    'INSTALL httpfs',
    'LOAD httpfs',
    "SET memory_limit = '1TB'",
    'RESET memory_limit',
    'PRAGMA database_list',
    'CALL pragma_version()',
    "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
    `EXPORT DATABASE '${made}'`,
    'CHECKPOINT',
    'VACUUM',
    'BEGIN',
    'COMMIT',
    'USE memory',
    'CREATE TABLE t (a int)',
    'CREATE VIEW v AS SELECT 1',
    "CREATE MACRO property_get(a, b) AS 'x'",
    'CREATE FUNCTION f(a) AS a',
    'DROP TABLE log_entries',
    'DROP VIEW log_entries',
    'ALTER TABLE log_entries ADD COLUMN a int',
    "INSERT INTO log_entries (msg) VALUES ('x')",
    "UPDATE log_entries SET msg = 'x'",
    'DELETE FROM log_entries',
    'TRUNCATE log_entries',
    'PREPARE p AS SELECT 1',
    'EXECUTE p',
    "EXPLAIN ANALYZE INSERT INTO log_entries (msg) VALUES ('x')",
    "EXPLAIN COPY (SELECT 1) TO '/tmp/x'",
    // More than one statement, whatever is between them.
    'SELECT 1; SELECT 2',
    'SELECT 1; DROP TABLE log_entries',
    'COMMIT; DROP TABLE log_entries',
    'SELECT 1 /* ; */; DELETE FROM log_entries --',
    // Text that is put into names and arguments.
    "SELECT * FROM view_instance('log_entries', 'x''); DROP TABLE log_entries; --')",
    `SELECT * FROM view_instance('log_entries', '../../${MARK}')`,
    `SELECT * FROM view_instance('${secret}', 'global')`,
    "SELECT * FROM view_instance((SELECT 1), 'global')",
    `SELECT * FROM process_spans('x'' OR 1=1 --', 'both')`,
    '',
    ';',
    '--',
  ]
  key = await signingKey('k')
  issuer = await startIssuer(key)
  guarded = await startServer({
    apiKeys: [{ name: 'a', key: KEY }],
    ingestion: { apiKeys: [{ name: 'a', key: KEY }] },
    oidc: { issuers: [{ issuer: issuer.issuer, audience: AUDIENCE }] },
    admins: [{ issuer: issuer.issuer, subject: 'root' }],
  })
  open = await startServer()
  await fill(open)
})

afterAll(async () => {
  await guarded.close()
  await open.close()
  await issuer[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
  delete process.env.MICROMEGAS_TEST_SECRET
})

/** Refused, for a reason that is the statement's: not because the server could not go on. */
function expectRefusal(sql: string, status: number, text: string): void {
  expect({ sql, text, refused: status === 400 }).toEqual({ sql, text, refused: true })
  expect(text).not.toContain(SECRET)
  expect(text.length).toBeGreaterThan(0)
}

async function gateway(
  server: TestServer,
  sql: string,
  token?: string,
): Promise<{ status: number; text: string }> {
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  }
  const body = {
    sql,
    time_range_begin: '2000-01-01T00:00:00Z',
    time_range_end: '2100-01-01T00:00:00Z',
  }
  return send(server.url, '/gateway/query', {
    method: 'POST',
    headers,
    body: Buffer.from(JSON.stringify(body)),
  })
}

test.each([
  ['async_events', "view_instance('async_events', process_id)"],
  ['images', "view_instance('images', process_id)"],
  ['public.thread_spans', "view_instance('thread_spans', stream_id)"],
])(
  'a view that there is of each process or stream, asked as a table, says what to ask: %s',
  async (name, instead) => {
    const { status, text } = await gateway(open, `SELECT * FROM ${name}`)

    expect(status).toBe(400)
    expect(text).toContain(`not found: ask for ${instead}`)
  },
)

test('a table that there is not at all is not found', async () => {
  expect((await gateway(open, 'SELECT * FROM orders')).text).toContain(
    "table 'datafusion.public.orders' not found (",
  )
})

describe('what may not be asked is refused over HTTP', () => {
  test.each(['nobody in particular', 'a key', 'a user', 'an admin'])('to %s', async (who) => {
    const tokens: Record<string, () => Promise<string | undefined>> = {
      'nobody in particular': async () => undefined,
      'a key': async () => KEY,
      'a user': () => issuer.token(key, { sub: 'somebody' }),
      'an admin': () => issuer.token(key, { sub: 'root' }),
    }
    const token = await tokens[who]!()
    const server = token === undefined ? open : guarded
    for (const sql of statements) {
      const { status, text } = await gateway(server, sql, token)
      expectRefusal(sql, status, text)
    }
    const answer = await gateway(server, 'SELECT count(*) AS n FROM log_entries', token)
    expect(answer.status).toBe(200)
  })
})

// The reference plans while it streams, and answers some of these as INTERNAL.
test('and over FlightSQL, by a code', async () => {
  await using client = new FlightSQLClient(open.flightUri)
  const range = { begin: new Date('2000-01-01'), end: new Date('2100-01-01') }
  for (const sql of statements) {
    if (sql.trim() === '') continue // the client itself refuses an empty query
    const error = await client.query(sql, range).then(
      ({ rows }) => ({ answered: rows }),
      (reason: unknown) => reason as { code: string; message: string },
    )
    expect({ sql, error }).toMatchObject({
      sql,
      error: { code: expect.stringMatching(/^(INVALID_ARGUMENT|UNIMPLEMENTED|INTERNAL)$/) },
    })
    expect(JSON.stringify(error)).not.toContain(SECRET)
  }
})

test('and to the host program', async () => {
  for (const sql of statements) {
    await expect(open.query(sql), sql).rejects.toMatchObject({ name: 'SqlError' })
  }
})

test('afterwards all is there, and nothing was made', async () => {
  expect(await open.query('SELECT msg FROM log_entries')).toEqual([{ msg: 'kept' }])
  expect(await readdir(folder)).toEqual(['secret.csv'])
})
