import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { FlightSQLClient } from '../../src/query/index.ts'
import { deferred } from '../support/deferred.ts'
import { answer, type GetCall, startFlightServer } from './support/flight-server.ts'
import { answerShortly, batchMessages, schemaMessage, startRawServer } from './support/raw-server.ts'

const shortAnswer = { doGet: (call: GetCall) => answer(call, [schemaMessage, batchMessages[0]!]) }

test('one connection serves many queries, at once and one after the other', async () => {
  await using server = await startRawServer(answerShortly)
  await using client = new FlightSQLClient(`grpc://127.0.0.1:${server.port}`)
  const warnings: Error[] = []
  const warned = (warning: Error): void => void warnings.push(warning)
  process.on('warning', warned)
  const { signal } = new AbortController()
  const results = await Promise.all(Array.from({ length: 20 }, () => client.query('select 1', { signal })))
  expect(results.map((result) => result.numRows)).toEqual(Array(20).fill(100))
  await client.query('select 1')
  expect(server.sessions).toHaveLength(1)
  process.off('warning', warned)
  expect(warnings).toEqual([])
})

test('a client opens no connection before its first query, and none after close', async () => {
  await using server = await startRawServer(answerShortly)
  const client = new FlightSQLClient(`grpc://127.0.0.1:${server.port}`)
  await client.query('select 1')
  await client.close()
  await client.close()
  await expect(client.query('select 1')).rejects.toMatchObject({ code: 'ERR_TELEMETRY_CLOSED' })
  expect(server.sessions).toHaveLength(1)
  if (!server.sessions[0]!.closed) await once(server.sessions[0]!, 'close')
})

test('close ends what runs', async () => {
  await using server = await startRawServer((call) => call.message(schemaMessage))
  const client = new FlightSQLClient(`grpc://127.0.0.1:${server.port}`)
  const [query, iteration] = [
    client.query('select 1'),
    client.queryStream('select 1')[Symbol.asyncIterator]().next(),
  ]
  const ended = Promise.all([
    expect(query).rejects.toMatchObject({ code: 'ERR_TELEMETRY_CLOSED' }),
    expect(iteration).rejects.toMatchObject({ code: 'ERR_TELEMETRY_CLOSED' }),
  ])
  while (server.sessions.length === 0) await once(server.server, 'session')
  await client.close()
  await ended
})

test('a server that does not listen is said so at once, and is found when it does', async () => {
  const first = await startFlightServer(shortAnswer)
  const { port } = first
  await using client = new FlightSQLClient(first.uri, { connectTimeoutMs: 60_000 })
  expect((await client.query('select 1')).numRows).toBe(100)
  first.kill()
  await expect(client.query('select 1')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    details: undefined,
    message: `Cannot reach grpc://127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
  })
  await using _ = await startFlightServer(shortAnswer, { port })
  expect((await client.query('select 1')).numRows).toBe(100)
})

test('many queries that find the server gone all fail, and all succeed once it is back', async () => {
  const first = await startFlightServer(shortAnswer)
  await using client = new FlightSQLClient(first.uri)
  await client.query('select 1')
  first.kill()
  const failed = await Promise.allSettled(Array.from({ length: 10 }, () => client.query('select 1')))
  expect(failed.map((result) => result.status === 'rejected' && result.reason.code)).toEqual(
    Array(10).fill('UNAVAILABLE'),
  )
  await using _ = await startFlightServer(shortAnswer, { port: first.port })
  const found = await Promise.all(Array.from({ length: 10 }, () => client.query('select 1')))
  expect(found.map((result) => result.numRows)).toEqual(Array(10).fill(100))
})

test('after GOAWAY a running query ends in its own time, and the next takes a new connection', async () => {
  const running = deferred<() => void>()
  await using server = await startRawServer((call) => {
    if (server.sessions.length > 1) return answerShortly(call)
    call.message(schemaMessage)
    call.session.goaway()
    running.resolve(() => {
      call.message(batchMessages[0]!)
      call.end()
    })
  })
  await using client = new FlightSQLClient(`grpc://127.0.0.1:${server.port}`)
  const stream = client.queryStream('select 1')
  await stream.schema
  const goOn = await running.promise
  expect((await client.query('select 2')).numRows).toBe(100)
  expect(server.sessions).toHaveLength(2)
  goOn()
  const sizes: number[] = []
  for await (const batch of stream) sizes.push(batch.numRows)
  expect(sizes).toEqual([100])
})

test('a server that shuts down while a query runs and is started again serves the next one', async () => {
  const release = deferred<void>()
  const server = await startFlightServer({
    async doGet(call) {
      call.write(schemaMessage)
      await release.promise
      await answer(call, [batchMessages[0]!])
    },
  })
  await using client = new FlightSQLClient(server.uri)
  const stream = client.queryStream('select 1')
  await stream.schema
  const stopped = server.stop()
  await expect(client.query('select 2')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await using _ = await startFlightServer(shortAnswer, { port: server.port })
  expect((await client.query('select 3')).numRows).toBe(100)
  release.resolve()
  for await (const batch of stream) expect(batch.numRows).toBe(100)
  await stopped
})

test('a server that accepts and says nothing is given up after connectTimeoutMs', async () => {
  const sockets: Socket[] = []
  const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as { port: number }
  await using client = new FlightSQLClient(`grpc://127.0.0.1:${port}`, { connectTimeoutMs: 50 })
  await expect(client.query('select 1')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `Cannot reach grpc://127.0.0.1:${port}: no connection within 50 ms`,
  })
  const abort = new AbortController()
  const aborted = client.query('select 1', { signal: abort.signal })
  abort.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
  for (const socket of sockets) socket.destroy()
  silent.close()
})

test('something that does not speak gRPC is an error', async () => {
  const http = createServer((socket) =>
    socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  ).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as { port: number }
  await using client = new FlightSQLClient(`grpc://127.0.0.1:${port}`)
  await expect(client.query('select 1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  http.close()
})

test('a quiet connection is pinged, during a query and between queries', async () => {
  const pings = { running: 0, idle: 0 }
  let state: keyof typeof pings = 'running'
  const twice = { running: deferred<void>(), idle: deferred<void>() }
  const finish = deferred<void>()
  await using server = await startRawServer((call) => {
    call.session.on('ping', () => {
      if (++pings[state] === 2) twice[state].resolve()
    })
    void finish.promise.then(() => answerShortly(call))
  })
  await using client = new FlightSQLClient(`grpc://127.0.0.1:${server.port}`, { keepaliveMs: 1_000 })
  const query = client.query('select 1')
  await twice.running.promise
  state = 'idle'
  finish.resolve()
  await query
  await twice.idle.promise
  expect(server.sessions).toHaveLength(1)
})
