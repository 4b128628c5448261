import { readFileSync } from 'node:fs'
import { RecordBatchReader, type Schema } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noAuthenticator } from '../../src/auth/authenticator.ts'
import { FlightServer } from '../../src/flight/flight-server.ts'
import { encodeMessage, MessageFields } from '../../src/flight/protobuf.ts'
import { LocalEngine } from '../../src/sql/local-engine.ts'
import { MemorySource, readRecording } from '../sql/recordings.ts'
import { RawClient } from './raw-client.ts'

interface GoldenCall {
  readonly name: string
  readonly rpc: string
  readonly metadata: Record<string, string>
  readonly request: string
  readonly messages: readonly string[]
  readonly status: string
  readonly details: string
}

const calls = JSON.parse(
  readFileSync(new URL('../sql/golden/flight.json', import.meta.url), 'utf8'),
) as GoldenCall[]

let engine: LocalEngine
let server: FlightServer
let client: RawClient
const refusals: unknown[] = []
beforeAll(async () => {
  engine = await LocalEngine.open(new MemorySource(['shop', 'rust', 'node'].map(readRecording)), {
    memoryLimitBytes: 512 * 1024 * 1024,
    threads: 1,
    queryTimeoutMs: 60_000,
    maxConcurrentQueries: 2,
    warn: (message) => refusals.push(message),
  })
  server = await FlightServer.listen({
    host: '127.0.0.1',
    port: 0,
    engine,
    bulk: { ingest: () => Promise.reject(new Error('nothing is put here')) },
    authenticator: noAuthenticator,
    maxConnections: 10,
    onFull: () => refusals.push('full'),
    onRefused: (refusal) => refusals.push(refusal),
  })
  client = new RawClient(server.port)
})
afterAll(async () => {
  client[Symbol.dispose]()
  await server.close(1000)
  await engine.close()
  expect(refusals).toEqual([])
})

const withoutQueryId = (details: string): string => details.replace(/query_id=[\w-]+/, 'query_id=…')

/** The rows and the schema that Arrow messages hold, whatever their number and alignment. */
function read(messages: readonly Uint8Array[]): { schema: Schema; rows: unknown[] } {
  const parts = messages.map((message) => {
    const fields = new MessageFields(message)
    const header = fields.bytes(2) ?? new Uint8Array()
    const prefix = Buffer.alloc(8)
    prefix.writeUInt32LE(0xffffffff, 0)
    prefix.writeUInt32LE(header.length, 4)
    return Buffer.concat([prefix, header, fields.bytes(1000) ?? new Uint8Array()])
  })
  const reader = RecordBatchReader.from(
    Buffer.concat([...parts, Buffer.from([255, 255, 255, 255, 0, 0, 0, 0])]),
  ).open()
  const { schema } = reader
  const rows = [...reader].flatMap((batch) => batch.toArray().map((row) => JSON.stringify(row, replacer)))
  return { schema, rows }
}

function replacer(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

function shape(schema: Schema): unknown {
  return schema.fields.map(({ name, type }) => `${name}: ${type}`)
}

describe('calls of real servers', () => {
  test.each(calls)('$name', async ({ rpc, metadata, request, messages, status, details }) => {
    const answer = await client.stream(rpc, Buffer.from(request, 'base64'), metadata)
    expect(withoutQueryId(answer.details)).toBe(withoutQueryId(details))
    expect(answer.status).toBe(status)
    const recorded = messages.map((message) => Buffer.from(message, 'base64'))
    if (rpc === 'DoAction') {
      expect(answer.messages).toHaveLength(recorded.length)
      for (const [i, message] of answer.messages.entries())
        expect(prepared(message)).toEqual(prepared(recorded[i]!))
    } else if (recorded.length > 0) {
      const [ours, theirs] = [read(answer.messages), read(recorded)]
      expect(shape(ours.schema)).toEqual(shape(theirs.schema))
      expect(ours.rows).toEqual(theirs.rows)
    }
  })
})

function prepared(result: Uint8Array): unknown {
  const any = new MessageFields(new MessageFields(result).bytes(1)!)
  const fields = new MessageFields(any.bytes(2)!)
  return {
    type: any.text(1),
    handle: fields.text(1),
    schema: shape(RecordBatchReader.from(fields.bytes(2)!).open().schema),
  }
}

describe('the catalogue', () => {
  const any = (name: string, fields: Parameters<typeof encodeMessage>[0]) =>
    encodeMessage([
      [1, `type.googleapis.com/arrow.flight.protocol.sql.${name}`],
      [2, encodeMessage(fields)],
    ])
  const get = async (command: Buffer) =>
    read((await client.stream('DoGet', encodeMessage([[1, command]]))).messages)

  test('has the views as tables, filtered by pattern', async () => {
    const { rows } = await get(any('CommandGetTables', []))
    expect(rows).toContain(
      '{"catalog_name":"","db_schema_name":"","table_name":"log_entries","table_type":"table"}',
    )
    const { rows: logs } = await get(any('CommandGetTables', [[3, 'log\\_%'.replace('\\', '')]]))
    expect(logs).toHaveLength(2)
    expect((await get(any('CommandGetTables', [[4, 'VIEW']]))).rows).toEqual([])
  })

  test('has their schemas where they are asked for', async () => {
    const command = any('CommandGetTables', [
      [3, 'log_entries'],
      [5, 1],
    ])
    const { schema, rows } = await get(command)
    expect((shape(schema) as string[]).at(-1)).toBe('table_schema: Binary')
    expect(rows).toHaveLength(1)
  })

  test('says what the server is', async () => {
    const { rows } = await get(any('CommandGetSqlInfo', []))
    expect(rows[0]).toContain('Micromegas Flight SQL Server')
    expect(rows).toHaveLength(4)
  })

  test('knows catalogs, schemas and table types', async () => {
    for (const name of ['CommandGetCatalogs', 'CommandGetDbSchemas', 'CommandGetTableTypes']) {
      expect((await get(any(name, []))).rows).toHaveLength(1)
    }
  })

  test('GetFlightInfo hands out a ticket that DoGet takes', async () => {
    const descriptor = encodeMessage([
      [1, 2],
      [2, any('CommandStatementQuery', [[1, 'select 1 as x']])],
    ])
    const info = await client.unary('/arrow.flight.protocol.FlightService/GetFlightInfo', descriptor)
    const endpoint = new MessageFields(new MessageFields(info.messages[0]!).bytes(3)!)
    const ticket = endpoint.bytes(1)!
    expect(read((await client.stream('DoGet', ticket)).messages).rows).toEqual(['{"x":"1"}'])
  })

  test('what is not known is UNIMPLEMENTED, what cannot be read INVALID_ARGUMENT', async () => {
    const unknown = await client.stream('DoGet', encodeMessage([[1, any('CommandGetXdbcTypeInfo', [])]]))
    expect(unknown.status).toBe('UNIMPLEMENTED')
    for (const request of [
      new Uint8Array(),
      Buffer.from([0xff, 0xff]),
      encodeMessage([[1, Buffer.from([0xff])]]),
    ]) {
      expect((await client.stream('DoGet', request)).status).toBe('INVALID_ARGUMENT')
    }
    expect((await client.stream('DoAction', encodeMessage([[1, 'Nope']]))).status).toBe('UNIMPLEMENTED')
  })

  test('health is answered', async () => {
    const { messages } = await client.unary('/grpc.health.v1.Health/Check', new Uint8Array())
    expect(new MessageFields(messages[0]!).number(1)).toBe(1n)
  })
})
