import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AuthenticationError, FlightSQLClient } from '../../../src/query/index.ts'
import { allTypes } from '../support/all-types.ts'
import { makeCertificates } from '../support/certificates.ts'
import { type PyarrowServer, startPyarrowServer } from './flight-server.ts'

let server: PyarrowServer
let client: FlightSQLClient
beforeAll(async () => {
  server = await startPyarrowServer()
  client = new FlightSQLClient(`grpc://127.0.0.1:${server.port}`)
})
afterAll(async () => {
  await client?.close()
  await server?.[Symbol.asyncDispose]()
})

test('every type that pyarrow sends gives exact values', async () => {
  const { batches } = await client.query('all-types')
  const [whole, part] = batches
  for (const column of whole!.columns) {
    expect({ [column.name]: column.toArray() }).toEqual({ [column.name]: allTypes[column.name] })
  }
  // The second batch is a slice, and its dictionaries may have been replaced.
  for (const column of part!.columns) {
    expect({ [column.name]: column.toArray() }).toEqual({ [column.name]: allTypes[column.name]!.slice(1, 3) })
  }
  expect(batches).toHaveLength(2)
})

test('dictionaries that change from batch to batch are followed', async () => {
  const { rows } = await client.query<{ d: string | null }>('dictionaries')
  expect(rows.map((row) => row.d)).toEqual(['a', 'b', null, 'c', 'b', 'd', 'b'])
})

test('compressed batches are an error that says so', async () => {
  await expect(client.query('compressed')).rejects.toMatchObject({
    code: 'UNIMPLEMENTED',
    message: 'Cannot read the answer: its batches are compressed (zstd)',
  })
})

test('a row of 50 MB comes whole', async () => {
  const { rows } = await client.query<{ data: Uint8Array }>('large 50000000')
  expect(rows[0]!.data).toHaveLength(50_000_000)
  expect(rows[0]!.data.every((byte) => byte === 120)).toBe(true)
})

test('many batches come in order, by several queries at once', async () => {
  const counts = await Promise.all(
    Array.from({ length: 4 }, async () => {
      let sum = 0n
      for await (const batch of client.queryStream('rows 200000')) {
        for (const n of batch.column('n').values as BigInt64Array) sum += n
      }
      return sum
    }),
  )
  expect(counts).toEqual(Array(4).fill(20n * 49_995_000n))
})

test('an error in the middle of a stream comes behind what came before, with its text', async () => {
  const rows: unknown[] = []
  const read = async (): Promise<void> => {
    for await (const row of client.queryRows('fail')) rows.push(row)
  }
  await expect(read()).rejects.toMatchObject({
    code: 'INTERNAL',
    details: expect.stringContaining('out of disk #1?'),
  })
  expect(rows).toHaveLength(6)
})

test('an error before the stream comes as INVALID_ARGUMENT', async () => {
  await expect(client.query('nonsense')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

test('an abort ends a slow stream', async () => {
  const abort = new AbortController()
  const read = async (): Promise<void> => {
    for await (const _ of client.queryStream('sleep 30', { signal: abort.signal }))
      abort.abort(new Error('enough'))
  }
  await expect(read()).rejects.toThrow('enough')
  await expect(client.query('sleep 30', { timeoutMs: 200 })).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
  })
})

test('refused credentials are an AuthenticationError', async () => {
  await using stranger = new FlightSQLClient(`grpc://127.0.0.1:${server.port}`, { apiKey: 'wrong' })
  await expect(stranger.query('rows 10000')).rejects.toBeInstanceOf(AuthenticationError)
})

test('rows are ingested, and who may not is told so', async () => {
  const rows = tableToIPC(tableFromArrays({ process_id: ['a', 'b', 'c'] }), 'stream')
  expect(await client.bulkIngest('processes', rows)).toEqual({ recordCount: 3n })
  await expect(client.bulkIngest('blocks', rows)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
})

test('a statement is prepared', async () => {
  const statement = await client.prepareStatement('select 1')
  expect(statement.query).toBe('select 1')
  expect(new Set(statement.schema.fields.map((field) => field.name))).toEqual(new Set(Object.keys(allTypes)))
})

test('a server that wants fewer pings is said so, and a query without them may be silent for long', async () => {
  await using eager = new FlightSQLClient(`grpc://127.0.0.1:${server.port}`, { keepaliveMs: 1_000 })
  await expect(eager.query('sleep 20')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('it wants fewer pings (ENHANCE_YOUR_CALM); raise keepaliveMs'),
  })
  await using patient = new FlightSQLClient(`grpc://127.0.0.1:${server.port}`, { keepaliveMs: false })
  expect((await patient.query('sleep 6')).numRows).toBe(2)
})

test('a server that is killed is an error, in the middle of a stream and after', async () => {
  await using own = await startPyarrowServer()
  await using other = new FlightSQLClient(`grpc://127.0.0.1:${own.port}`)
  const read = async (): Promise<void> => {
    for await (const _ of other.queryStream('sleep 30')) own.process.kill('SIGKILL')
  }
  await expect(read()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(other.query('rows 10000')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('a server with TLS is reached by its own authority', async () => {
  const certificates = makeCertificates()
  if (certificates === undefined) return
  const folder = mkdtempSync(join(tmpdir(), 'micromegas-pyarrow-'))
  try {
    writeFileSync(join(folder, 'cert.pem'), certificates.cert)
    writeFileSync(join(folder, 'key.pem'), certificates.key)
    await using secure = await startPyarrowServer(join(folder, 'cert.pem'), join(folder, 'key.pem'))
    await using own = new FlightSQLClient(`grpc+tls://localhost:${secure.port}`, { ca: certificates.ca })
    expect((await own.query('rows 10000')).numRows).toBe(10_000)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
