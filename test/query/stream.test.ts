import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { FlightSQLClient } from '../../src/query/index.ts'
import { deferred } from '../support/deferred.ts'
import { failure, startFlightServer } from './support/flight-server.ts'
import {
  answerShortly,
  batchMessages,
  type RawCall,
  schemaMessage,
  startRawServer,
} from './support/raw-server.ts'

const INTERNAL = 13

function clientOf(server: { readonly port: number }, options = {}): FlightSQLClient {
  return new FlightSQLClient(`grpc://127.0.0.1:${server.port}`, options)
}

/** Resolves when the server hears that the client has no more interest. */
function cancelled(call: RawCall): Promise<number> {
  return new Promise((resolve) => call.stream.once('close', () => resolve(call.stream.rstCode)))
}

test.each([
  ['fast', async () => {}],
  ['slow', async () => void (await setImmediate())],
])('a %s reader gets the batches that came before an error, then the error', async (_, work) => {
  await using server = await startRawServer((call) => {
    call.message(schemaMessage)
    for (const batch of batchMessages.slice(0, 10)) call.message(batch)
    call.end(INTERNAL, 'error building data stream: out of disk (query_id=q-1)')
  })
  await using client = clientOf(server)
  let batches = 0
  const read = async (): Promise<void> => {
    for await (const batch of client.queryStream('select 1')) {
      batches++
      expect(batch.numRows).toBe(100)
      await work()
    }
  }
  await expect(read()).rejects.toMatchObject({ code: 'INTERNAL', queryId: 'q-1' })
  expect(batches).toBe(10)
})

test('an abort ends a query that waits, with the reason of the signal, and tells the server', async () => {
  const seen = deferred<RawCall>()
  await using server = await startRawServer((call) => {
    call.message(schemaMessage)
    seen.resolve(call)
  })
  await using client = clientOf(server)
  const abort = new AbortController()
  const query = client.query('select 1', { signal: abort.signal })
  const call = await seen.promise
  const heard = cancelled(call)
  abort.abort(new Error('no longer wanted'))
  await expect(query).rejects.toThrow('no longer wanted')
  expect(await heard).toBe(8) // CANCEL
  expect((await client.query('select 1', { timeoutMs: 50 }).catch((error) => error)).code).toBe(
    'DEADLINE_EXCEEDED',
  )
})

test('an abort ends a stream between batches', async () => {
  await using server = await startRawServer((call) => {
    call.message(schemaMessage)
    for (const batch of batchMessages) call.message(batch)
    // No end: the server has more to say.
  })
  await using client = clientOf(server)
  const abort = new AbortController()
  let batches = 0
  const read = async (): Promise<void> => {
    for await (const _ of client.queryStream('select 1', { signal: abort.signal })) {
      if (++batches === 3) abort.abort()
    }
  }
  await expect(read()).rejects.toMatchObject({ name: 'AbortError' })
  expect(batches).toBe(3)
})

test('a signal that is aborted already asks nothing', async () => {
  await using server = await startRawServer(answerShortly)
  await using client = clientOf(server)
  await expect(client.query('select 1', { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'AbortError',
  })
  expect(server.sessions).toHaveLength(0)
})

test.each(['queryStream', 'queryRows', 'queryIpc'] as const)(
  '%s left early tells the server',
  async (name) => {
    const closed: Promise<number>[] = []
    await using server = await startRawServer((call) => {
      closed.push(cancelled(call))
      call.message(schemaMessage)
      for (const batch of batchMessages) call.message(batch)
    })
    await using client = clientOf(server)
    for await (const _ of client[name]('select 1')) break
    expect(await closed[0]).toBe(8)
  },
)

test('a stream that was asked for its schema only is closed by disposing of it', async () => {
  const closed = deferred<number>()
  await using server = await startRawServer((call) => {
    void cancelled(call).then(closed.resolve)
    call.message(schemaMessage)
  })
  await using client = clientOf(server)
  {
    await using stream = client.queryStream('select 1')
    expect((await stream.schema).fields).toHaveLength(3)
  }
  expect(await closed.promise).toBe(8)
})

test('a stream cannot be iterated twice', async () => {
  await using server = await startRawServer(answerShortly)
  await using client = clientOf(server)
  const stream = client.queryStream('select 1')
  for await (const batch of stream) expect(batch.numRows).toBe(100)
  expect(() => stream[Symbol.asyncIterator]()).toThrow(TypeError)
})

test('a server that goes away in the middle of a stream is an error', async () => {
  await using server = await startRawServer((call) => {
    call.message(schemaMessage)
    call.message(batchMessages[0]!)
  })
  await using client = clientOf(server)
  let batches = 0
  const read = async (): Promise<void> => {
    for await (const _ of client.queryStream('select 1')) {
      batches++
      for (const session of server.sessions) session.destroy()
    }
  }
  await expect(read()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(batches).toBe(1)
})

test('a call that is reset is an error, and does not harm the connection', async () => {
  let calls = 0
  await using server = await startRawServer((call) => {
    if (++calls > 1) return answerShortly(call)
    call.message(schemaMessage)
    call.stream.close(2) // INTERNAL_ERROR
  })
  await using client = clientOf(server)
  await expect(client.query('select 1')).rejects.toMatchObject({ code: 'INTERNAL' })
  expect((await client.query('select 1')).numRows).toBe(100)
  expect(server.sessions).toHaveLength(1)
})

test('an answer without a status is an error, not a short result', async () => {
  await using server = await startRawServer((call) => {
    call.stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    const frame = Buffer.alloc(5 + schemaMessage.length)
    frame.writeUInt32BE(schemaMessage.length, 1)
    frame.set(schemaMessage, 5)
    call.stream.end(frame)
  })
  await using client = clientOf(server)
  await expect(client.query('select 1')).rejects.toMatchObject({ name: 'QueryError' })
})

test.each([
  ['an HTML page with status 502', 502, 'UNAVAILABLE'],
  ['an HTML page with status 403', 403, 'PERMISSION_DENIED'],
  ['an HTML page with status 404', 404, 'UNIMPLEMENTED'],
])('%s, as load balancers send, is an error by its status', async (_, httpStatus, code) => {
  await using server = await startRawServer((call) => {
    call.stream.respond({ ':status': httpStatus, 'content-type': 'text/html' })
    call.stream.end('<html><body>Sorry, this did not work out as planned.</body></html>')
  })
  await using client = clientOf(server)
  await expect(client.query('select 1')).rejects.toMatchObject({ code })
})

test('timeoutMs ends a query that takes longer; the server hears of the limit', async () => {
  const heard = deferred<unknown>()
  await using server = await startRawServer((call) => heard.resolve(call.headers['grpc-timeout']))
  await using client = clientOf(server, { timeoutMs: 60_000 })
  const query = client.query('select 1', { timeoutMs: 100 })
  await expect(query).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    message: `Cannot run the query: no complete answer from grpc://127.0.0.1:${server.port} within 100 ms`,
  })
  expect(await heard.promise).toMatch(/^\d+m$/)
})

test('the server waits for a reader that is slow', async () => {
  let sent = 0
  const big = batchMessages[0]!
  await using server = await startFlightServer({
    async doGet(call) {
      call.write(schemaMessage)
      for (let i = 0; i < 20_000; i++) {
        sent++
        if (!call.write(big)) await new Promise((resolve) => call.once('drain', resolve))
        if (call.cancelled) return
      }
      call.end()
    },
  })
  await using client = clientOf(server)
  const iterator = client.queryStream('select 1')[Symbol.asyncIterator]()
  await iterator.next()
  // Until nothing moves any more.
  for (let before = -1; before !== sent; ) {
    before = sent
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  expect(sent).toBeLessThan(10_000)
  let batches = 1
  while (!(await iterator.next()).done) batches++
  expect(batches).toBe(20_000)
})

test('a message of 20 MB comes whole, and one beyond maxMessageBytes is an error', async () => {
  const padding = Buffer.alloc(20_000_000)
  // FlightData with application metadata of 20 MB: field 3.
  const header = Buffer.concat([Buffer.from([0x1a]), varint(padding.length)])
  const large = Buffer.concat([schemaMessage, header, padding])
  await using server = await startFlightServer({
    doGet(call) {
      call.write(large)
      call.write(batchMessages[0]!)
      call.end()
    },
  })
  await using client = clientOf(server)
  expect((await client.query('select 1')).numRows).toBe(100)
  await using small = clientOf(server, { maxMessageBytes: 1_000_000 })
  await expect(small.query('select 1')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
})

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80)
  return Buffer.from([...bytes, value])
}

test('messages of no data and unknown fields are skipped; an empty answer is an error', async () => {
  const metadataOnly = Buffer.from([0x1a, 2, 0x68, 0x69])
  await using server = await startFlightServer({
    doGet(call) {
      if (call.request.includes('nothing')) return void call.end()
      call.write(metadataOnly)
      call.write(Buffer.concat([schemaMessage, Buffer.from([0xf8, 0x3e, 5, 0xfd, 0x3e, 1, 2, 3, 4])]))
      call.write(batchMessages[0]!)
      call.end()
    },
  })
  await using client = clientOf(server)
  expect((await client.query('select 1')).numRows).toBe(100)
  await expect(client.query('nothing')).rejects.toMatchObject({ code: 'DATA_LOSS' })
  await expect(client.queryStream('nothing')[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'DATA_LOSS',
  })
})

test.each([
  ['a batch before the schema', [batchMessages[0]!]],
  ['two schemas', [schemaMessage, schemaMessage]],
  ['a message that is cut off', [schemaMessage, batchMessages[0]!.subarray(0, 300)]],
  ['bytes that mean nothing', [Buffer.from('not a message of Flight')]],
])('%s is DATA_LOSS', async (_, messages) => {
  await using server = await startFlightServer({
    doGet(call) {
      for (const message of messages) call.write(message)
      call.end()
    },
  })
  await using client = clientOf(server)
  await expect(client.query('select 1')).rejects.toMatchObject({
    code: 'DATA_LOSS',
    message: /^Cannot read the answer: /,
  })
})

test('the error of a server that answers with details keeps them', async () => {
  const details =
    'error building dataframe: SQL error: ParserError("Expected: an SQL statement, found: selec at Line: 1, Column: 1")\nhelp: ça ne va pas\n (query_id=3d15613a)'
  await using server = await startFlightServer({
    doGet() {
      throw failure(3, details)
    },
  })
  await using client = clientOf(server)
  await expect(client.query('selec 1')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    details,
    line: 1,
    column: 1,
    queryId: '3d15613a',
  })
})
