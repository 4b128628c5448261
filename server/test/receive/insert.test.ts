import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { LOG_BLOCK_CBOR, LOG_STREAM, PROCESS_CBOR } from '../../../test/telemetry/worked-examples.ts'
import { getJson, insert, insertBlocks, post, type Route, send, startServer } from '../support/server.ts'
import { logBlock, process, processBody, stream, streamBody } from '../support/telemetry.ts'

const ROUTES: readonly Route[] = ['process', 'stream', 'block']
const MIB = 1024 * 1024

describe('what is sent can be read back', () => {
  test('the worked example of the protocol arrives as two log entries, its bytes unchanged', async () => {
    await using server = await startServer()
    await insert(server, 'process', PROCESS_CBOR)
    await insert(server, 'stream', streamBody(LOG_STREAM))
    await insert(server, 'block', LOG_BLOCK_CBOR)

    const { rows } = await server.reader.logEntries({ order: 'oldest' })
    expect(rows.map(({ timeNs, target, level, msg }) => [timeNs, target, level, msg])).toEqual([
      [1704067200000001000n, 'app', 4, 'hello'],
      [1704067200000002500n, 'app', 4, 'hi'],
    ])
    const kept = await server.reader.requestBody('block', '00000000-0000-4000-8000-00000000000b')
    expect(Buffer.from(kept ?? [])).toEqual(LOG_BLOCK_CBOR)
  })

  test.for([
    ['block', 'stream', 'process'],
    ['block', 'process', 'stream'],
    ['stream', 'block', 'process'],
    ['process', 'block', 'stream'],
  ] as const)('in the order %s, %s, %s', async (order) => {
    await using server = await startServer()
    const bodies = { process: PROCESS_CBOR, stream: streamBody(LOG_STREAM), block: LOG_BLOCK_CBOR }
    for (const route of order) await insert(server, route, bodies[route])
    await server.idle()
    expect((await server.reader.logEntries()).rows).toHaveLength(2)
    expect((await getJson(server, '/api/blocks?state=readable')).rows).toHaveLength(1)
  })

  test('a block whose stream never comes is stored and waits', async () => {
    await using server = await startServer()
    await insert(server, 'block', LOG_BLOCK_CBOR)
    await server.idle()
    const { rows } = await getJson(server, '/api/blocks')
    expect(rows[0].state).toBe('waiting')
    const answer = await send(server.url, `/api/blocks/${rows[0].block_id}`)
    expect([answer.status, JSON.parse(answer.text).error]).toEqual([409, 'its stream has not come yet'])
    expect((await server.reader.logEntries()).rows).toEqual([])
  })
})

describe('the first item of an id stands', () => {
  test('a process that comes again with other fields is answered with 200 and changes nothing', async () => {
    await using server = await startServer()
    const first = process({ exe: 'first' })
    await insert(server, 'process', processBody(first), processBody({ ...first, exe: 'second' }))
    expect((await server.reader.processes()).rows.map(({ exe }) => exe)).toEqual(['first'])
    expect(server.events.map(({ type }) => type)).toEqual(['stored', 'duplicate'])
  })

  test('of many inserts of one block at the same time one is stored, and all are answered with 200', async () => {
    await using server = await startServer()
    const owner = process()
    const log = stream(owner, 'log')
    await insert(server, 'process', processBody(owner))
    await insert(server, 'stream', streamBody(log))
    const blockId = randomUUID()
    const blocks = Array.from({ length: 20 }, (_, i) =>
      logBlock(owner, log, [{ at: 5, message: `${i}` }], { blockId }),
    )
    const answers = await Promise.all(blocks.map(({ body }) => post(server, 'block', body)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await server.reader.logEntries()).rows).toHaveLength(1)
    expect(server.events.filter(({ type }) => type === 'duplicate')).toHaveLength(19)
  })

  test('a block id used again for another stream is answered with 200 and lost, as on a Micromegas server', async () => {
    await using server = await startServer()
    const owner = process()
    const [one, other] = [stream(owner, 'log'), stream(owner, 'log')]
    const blockId = randomUUID()
    await insert(server, 'process', processBody(owner))
    await insert(server, 'stream', streamBody(one), streamBody(other))
    await insertBlocks(server, logBlock(owner, one, [{ at: 1, message: 'kept' }], { blockId }))
    await insertBlocks(server, logBlock(owner, other, [{ at: 1, message: 'lost' }], { blockId }))
    expect((await server.reader.logEntries()).rows.map(({ msg }) => msg)).toEqual(['kept'])
  })
})

describe('status codes', () => {
  test('health and readiness are public and have no body', async () => {
    await using server = await startServer({ apiKeys: [{ name: 'a', key: 'k' }] })
    for (const path of ['/health', '/ready']) {
      expect(await send(server.url, path)).toMatchObject({ status: 200, text: '' })
      expect((await send(server.url, path, { method: 'HEAD' })).status).toBe(200)
      expect((await send(server.url, path, { method: 'POST' })).status).toBe(405)
    }
  })

  test('a success has an empty body', async () => {
    await using server = await startServer()
    expect(await post(server, 'process', PROCESS_CBOR)).toMatchObject({ status: 200, text: '' })
  })

  test.for(ROUTES)(
    'a body of insert_%s that is none is 400 without a reason, which the console gets',
    async (route) => {
      await using server = await startServer()
      for (const body of [
        Buffer.alloc(0),
        Buffer.from('hello'),
        Buffer.from([0xa0]),
        PROCESS_CBOR.subarray(0, 100),
      ]) {
        expect(await post(server, route, body)).toMatchObject({ status: 400, text: 'Bad request' })
      }
      const refusals = server.events.filter((event) => event.type === 'refused')
      expect(refusals).toHaveLength(4)
      expect(refusals[0]).toMatchObject({ status: 400, method: 'POST', reason: 'the body is empty' })
    },
  )

  test('a compressed body is 400, and the console says why', async () => {
    await using server = await startServer()
    const answer = await post(server, 'process', gzipSync(PROCESS_CBOR), { 'content-encoding': 'gzip' })
    expect(answer).toMatchObject({ status: 400, text: 'Bad request' })
    expect(server.reasons()[0]).toContain('content-encoding is gzip')
  })

  test('the content type does not matter', async () => {
    await using server = await startServer()
    for (const type of ['application/cbor', 'application/octet-stream', 'text/html', 'nonsense']) {
      const answer = await post(server, 'process', processBody(process()), { 'content-type': type })
      expect(answer.status).toBe(200)
    }
  })

  test('paths are exact: another one, a doubled slash and a slash at the end are 404', async () => {
    await using server = await startServer({ apiKeys: [{ name: 'a', key: 'k' }] })
    for (const path of [
      '/',
      '//ingestion/insert_process',
      '/ingestion//insert_process',
      '/ingestion/insert_process/',
      '/ingestion/insert_batch',
      '/Ingestion/insert_process',
    ]) {
      expect([path, (await send(server.url, path, { method: 'POST', body: PROCESS_CBOR })).status]).toEqual([
        path,
        404,
      ])
    }
  })

  test('another method is 405 with authentication disabled, and 401 first with authentication on', async () => {
    await using open = await startServer()
    await using closed = await startServer({ apiKeys: [{ name: 'a', key: 'k' }] })
    for (const method of ['GET', 'PUT', 'OPTIONS', 'DELETE']) {
      const answer = await send(open.url, '/ingestion/insert_block', { method })
      expect([answer.status, answer.headers.allow]).toEqual([405, 'POST'])
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
      expect((await send(closed.url, '/ingestion/insert_block', { method })).status).toBe(401)
    }
  })
})

describe('the limit of a body', () => {
  const limit = 2 * MIB
  /** A block with a field that readers pass over, so that it has exactly so many bytes. */
  function padded(size: number): Buffer {
    const filler = size - LOG_BLOCK_CBOR.length - 9
    const head = Buffer.from([0x63, 0x70, 0x61, 0x64, 0x5a, 0, 0, 0, 0])
    head.writeUInt32BE(filler, 5)
    return Buffer.concat([Buffer.from([0xab]), head, Buffer.alloc(filler), LOG_BLOCK_CBOR.subarray(1)])
  }

  test('the last accepted size and the first refused one, with and without content-length', async () => {
    await using server = await startServer({ bodyLimitBytes: limit })
    const chunked = { 'transfer-encoding': 'chunked' }
    expect((await post(server, 'block', padded(limit))).status).toBe(200)
    expect((await post(server, 'block', padded(limit), chunked)).status).toBe(200)
    expect((await post(server, 'block', padded(limit + 1))).status).toBe(413)
    expect((await post(server, 'block', padded(limit + 1), chunked)).status).toBe(413)
  })

  test('is 100 MiB unless it is set', async () => {
    await using server = await startServer({ checkBlocks: false })
    expect((await post(server, 'block', padded(100 * MIB))).status).toBe(200)
    const answer = await post(server, 'block', padded(100 * MIB + 1))
    expect([answer.status, answer.text]).toEqual([413, 'length limit exceeded'])
  })

  test('a request that announces too much is answered before it sends anything', async () => {
    await using server = await startServer({ bodyLimitBytes: limit })
    const answer = await rawRequest(
      server.port,
      `POST /ingestion/insert_block HTTP/1.1\r\nhost: x\r\ncontent-length: ${limit + 1}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
  })

  test('a refused key is answered before the body is read', async () => {
    await using server = await startServer({ apiKeys: [{ name: 'a', key: 'k' }] })
    const answer = await rawRequest(
      server.port,
      'POST /ingestion/insert_block HTTP/1.1\r\nhost: x\r\nauthorization: Bearer no\r\ncontent-length: 1000\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1.1 401 /)
  })

  test('a process that no service would send is 413 below the limit', async () => {
    await using server = await startServer()
    const properties = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`k${i}`, 'x'.repeat(MIB)]))
    expect((await post(server, 'process', processBody(process({ properties })))).status).toBe(413)
    expect(server.reasons()[0]).toContain('this server takes 4194304')
  })
})

describe('what the database of a Micromegas server refuses', () => {
  test('a description of 255 characters is accepted, one of 256 is 500, counted in code points', async () => {
    await using server = await startServer()
    const fields = ['exe', 'username', 'realname', 'computer', 'distro', 'cpuBrand'] as const
    for (const field of fields) {
      const names = { last: '\u{1F600}'.repeat(255), first: '\u{1F600}'.repeat(256) }
      expect((await post(server, 'process', unrepaired({ [field]: names.last }))).status).toBe(200)
      expect(await post(server, 'process', unrepaired({ [field]: names.first }))).toMatchObject({
        status: 500,
        text: 'Internal server error',
      })
    }
    expect(server.reasons()[0]).toBe(
      "a Micromegas server's database refuses this for good: exe has 256 characters, more than 255",
    )
  })

  test('U+0000 in a field, a property key or a property value is 500', async () => {
    await using server = await startServer()
    for (const change of [{ exe: 'a\0b' }, { properties: { 'a\0': 'b' } }, { properties: { a: '\0' } }]) {
      expect((await post(server, 'process', unrepaired(change))).status).toBe(500)
    }
    expect((await post(server, 'process', unrepaired({ properties: { a: 'x'.repeat(1000) } }))).status).toBe(
      200,
    )
    expect((await server.reader.processes()).rows).toHaveLength(1)
  })
})

test('properties that only a server may set are dropped with a warning', async () => {
  await using server = await startServer()
  const owner = process({ properties: { 'micromegas.audience': 'mine', region: 'eu' } })
  await insert(server, 'process', processBody(owner))
  expect((await server.reader.processes()).rows[0]?.properties).toEqual({ region: 'eu' })
  expect(server.reasons()).toEqual([
    `process ${owner.processId}: reserved properties dropped: micromegas.audience`,
  ])
})

describe('blocks that no reader can make sense of', () => {
  test('are answered with 200 and reported with the reason', async () => {
    await using server = await startServer()
    await insert(server, 'process', PROCESS_CBOR)
    await insert(server, 'stream', streamBody(LOG_STREAM))
    // The descriptor's id in the first event becomes one that the block does not have.
    const at = LOG_BLOCK_CBOR.indexOf(Buffer.from('e8f5052a01000000', 'hex')) - 8
    const broken = Buffer.from(LOG_BLOCK_CBOR)
    broken[at] = 9
    await insert(server, 'block', broken)
    await server.idle()

    const blockId = '00000000-0000-4000-8000-00000000000b'
    const problem = server.events.find((event) => event.type === 'undecodable')
    expect(problem).toMatchObject({
      blockId,
      reason: expect.stringContaining('object 0 at byte 0 (LogStaticStrEvent)'),
    })
    expect((await getJson(server, '/api/problems')).rows[0]).toMatchObject({
      type: 'undecodable',
      block_id: blockId,
    })
    expect((await getJson(server, '/api/blocks?state=unreadable')).rows[0].reason).toContain('object 0')
    expect((await getJson(server, '/api/log_entries')).unreadable_blocks).toBe(1)
    expect((await send(server.url, `/api/blocks/${blockId}`)).status).toBe(422)
  })

  test('what a server accepts but hides later is a warning: counts, order and edges', async () => {
    await using server = await startServer()
    const owner = process()
    const log = stream(owner, 'log')
    const other = stream(process(), 'log')
    await insert(server, 'process', processBody(owner))
    await insert(server, 'stream', streamBody(log), streamBody({ ...other, processId: owner.processId }))
    const lines = [
      { at: 20, message: 'late' },
      { at: 10, message: 'early' },
    ]
    await insertBlocks(server, logBlock(owner, log, lines, { eventCount: 7, beginTicks: 15, endTicks: 15 }))
    await server.idle()
    const warnings = server.reasons().join('\n')
    expect(warnings).toContain('nb_objects says 7, there are 2 events')
    expect(warnings).toContain('not in order of time')
    expect(warnings).toContain('outside of begin_ticks and end_ticks')
    // Read all the same, whatever the edges say.
    const { rows } = await server.reader.logEntries({ untilNs: 1_704_067_200_000_000_011n })
    expect(rows.map(({ msg }) => msg)).toEqual(['early'])
  })
})

/** The encoder of the SDK would repair these texts: they are put in afterwards. */
function unrepaired(change: Partial<ReturnType<typeof process>>): Uint8Array {
  const marks = new Map<string, string>()
  const mark = (value: string): string => {
    const name = `mark${marks.size}-${randomUUID()}`
    marks.set(name, value)
    return name
  }
  const marked: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(change)) {
    marked[key] =
      typeof value === 'string'
        ? mark(value)
        : Object.fromEntries(
            Object.entries(value as object).map(([name, text]) => [mark(name), mark(String(text))]),
          )
  }
  let body = Buffer.from(processBody(process(marked)))
  for (const [name, value] of marks) {
    const text = Buffer.from(value)
    const head = Buffer.from([0x79, text.length >> 8, text.length & 255])
    const at = body.indexOf(name)
    const headBytes = 2
    body = Buffer.concat([body.subarray(0, at - headBytes), head, text, body.subarray(at + name.length)])
  }
  return body
}

function rawRequest(port: number, head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(head))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString('latin1'))
    })
    socket.once('error', reject)
  })
}
