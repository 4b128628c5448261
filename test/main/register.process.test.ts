import { describe, expect, test } from 'vitest'
import type { MicromegasServer } from '../../server/src/index.ts'
import { HTTP2, MINUTE_NS, record, start } from './support/registered.ts'

async function spansOf(server: MicromegasServer) {
  const nowNs = BigInt(Date.now()) * 1_000_000n
  const range = { beginNs: nowNs - MINUTE_NS, endNs: nowNs + MINUTE_NS }
  const [process_] = await server.query('select process_id from processes')
  const rows = await server.query(
    `select id, parent, name, properties from process_spans('${String(process_!.process_id)}', 'async') order by begin`,
    { range },
  )
  return rows as unknown as {
    readonly id: bigint
    readonly parent: bigint
    readonly name: string
    readonly properties: Record<string, string>
  }[]
}

describe.each([
  ['--import', ['--import', 'micromegas/register']],
  ['--require', ['--require', 'micromegas/register']],
])('with %s, a service without a line for it', (_, flags) => {
  test('has its requests recorded, those it answers and those it makes', async () => {
    const [server, outcome] = await record(flags)
    await using _ = server
    expect(outcome).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(
        'micromegas: recording HTTP servers and clients, console, pino, winston, the logger of NestJS, spans\n',
      ),
    })
    const spans = await spansOf(server)
    const answered = spans.filter(({ properties }) => properties['span.kind'] === 'SERVER')
    expect(
      answered.map(({ properties }) => [
        properties['url.path'],
        properties['http.response.status_code'],
        properties['error.type'],
      ]),
    ).toEqual([
      ['/call', '200', undefined],
      ['/inner', '200', undefined],
      ['/node', '200', undefined],
      ['/inner', '200', undefined],
      ['/fail', '503', '503'],
      ...(answered.length > 5 ? [['/aborted', undefined, 'aborted']] : []),
    ])
    const [call, inner] = answered
    expect(call!.properties).toMatchObject({
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      parent_span_id: 'b7ad6b7169203331',
    })
    expect(call).toMatchObject({ name: 'GET', parent: 0n })
    const made = spans.filter(({ properties }) => properties['span.kind'] === 'CLIENT')
    const [fetched] = made.filter(({ parent }) => parent === call!.id)
    expect(fetched).toMatchObject({ name: 'GET 127.0.0.1', properties: { 'url.path': '/inner' } })
    expect(inner!.parent).toBe(fetched!.id)
    const [counts] = await server.query(
      "select count(*) as n from measures where name = 'http.server.request.duration' and unit = 's' and property_get(properties, 'http.response.status_code') = '200'",
    )
    expect(counts).toEqual({ n: 4n })
  })
})

test('HTTP/2 is recorded from its first request on, though nothing loads it before the program does', async () => {
  const [server, outcome] = await record(undefined, '', {}, HTTP2)
  await using _ = server
  expect(outcome.code).toBe(0)
  const [client, answer] = await spansOf(server)
  expect(client).toMatchObject({
    name: 'GET localhost',
    properties: { 'span.kind': 'CLIENT', 'url.path': '/first', 'http.response.status_code': '200' },
  })
  expect(answer).toMatchObject({
    name: 'GET',
    parent: client!.id,
    properties: { 'span.kind': 'SERVER', 'url.path': '/first', 'http.response.status_code': '200' },
  })
})

test('a program that starts telemetry itself takes over what runs', async () => {
  const [server, outcome] = await record(undefined, 'takes over')
  await using _ = server
  expect(outcome).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(
      'micromegas: telemetry was started by micromegas/register, these options are not used: cpuTracing\n',
    ),
  })
  expect(await server.query("select msg from log_entries where target = 'own'")).toEqual([
    { msg: 'taken over' },
  ])
  expect(await server.query('select count(*) as n from processes')).toEqual([{ n: 1n }])
})

test('what is switched off is not recorded', async () => {
  const [server, outcome] = await record(undefined, '', {
    MICROMEGAS_INSTRUMENT_HTTP: 'false',
    MICROMEGAS_ENABLE_CPU_TRACING: 'false',
  })
  await using _ = server
  expect(outcome.stderr).toContain(
    'micromegas: recording console, pino, winston, the logger of NestJS, no spans (MICROMEGAS_ENABLE_CPU_TRACING is false)\n',
  )
  expect(await server.query("select count(*) as n from measures where name like 'http.%'")).toEqual([
    { n: 0n },
  ])
})

test('without an address the program runs as it is, and that is said; a bad setting ends it', async () => {
  expect(await start({})).toMatchObject({
    code: 0,
    stderr: 'micromegas: MICROMEGAS_TELEMETRY_URL is not set, nothing is recorded\n',
  })
  const bad = await start({ MICROMEGAS_TELEMETRY_URL: 'http://127.0.0.1:9', MICROMEGAS_FLUSH_PERIOD: 'soon' })
  expect(bad).toMatchObject({ code: 1, stderr: expect.stringContaining('MICROMEGAS_FLUSH_PERIOD') })
})
