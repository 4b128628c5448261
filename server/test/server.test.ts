import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { PROCESS_CBOR } from '../../test/telemetry/worked-examples.ts'
import { type ServerEvent, startServer as startMicromegasServer } from '../src/index.ts'
import { post, send, startServer } from './support/server.ts'

test('says where it is, by an address that can be used', async () => {
  for (const [host, url] of [
    ['127.0.0.1', 'http://127.0.0.1:'],
    ['0.0.0.0', 'http://127.0.0.1:'],
    ['::1', 'http://[::1]:'],
    ['localhost', 'http://localhost:'],
  ] as const) {
    await using server = await startServer({ host })
    expect(server.url).toBe(`${url}${server.port}`)
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
  }
})

test('warns when everyone may come in from everywhere', async () => {
  await using server = await startServer({ host: '0.0.0.0' })
  expect(server.reasons()[0]).toContain('authentication is disabled and 0.0.0.0 is no loopback address')
})

test('a port that is taken is a clear error, and leaves nothing behind', async () => {
  await using first = await startServer()
  await expect(startServer({ port: first.port })).rejects.toMatchObject({
    code: 'ERR_TELEMETRY_CONFIG',
    message: `Cannot listen on 127.0.0.1:${first.port}: EADDRINUSE: address already in use; choose another one with --port (option port)`,
  })
})

test('closing answers what is under way, closes idle connections and is done only once', async () => {
  const server = await startServer()
  const idle = connect(server.port, '127.0.0.1')
  const idleEnd = new Promise((resolve) => idle.once('close', resolve))
  await new Promise((resolve) => idle.once('connect', resolve))

  const socket = connect(server.port, '127.0.0.1')
  const head = `POST /ingestion/insert_process HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${PROCESS_CBOR.length}\r\n\r\n`
  socket.write(head)
  socket.write(PROCESS_CBOR.subarray(0, 100))
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  const socketEnd = new Promise((resolve) => socket.once('close', resolve))
  // Until the server has the request, closing would not wait for it.
  await expect.poll(() => send(server.url, '/health').then(({ status }) => status)).toBe(200)

  const closed = server.close()
  expect(server.close()).toBe(closed)
  await idleEnd
  await expect(send(server.url, '/health')).rejects.toThrow('ECONNREFUSED')
  socket.write(PROCESS_CBOR.subarray(100))
  await Promise.all([socketEnd, closed])
  expect(answer).toMatch(/^HTTP\/1.1 200 /)
})

test('closing waits no longer than it may for a request that never ends', async () => {
  const server = await startServer({ closeTimeoutMs: 200 })
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    'POST /ingestion/insert_block HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nstart',
  )
  await expect.poll(() => send(server.url, '/health').then(({ status }) => status)).toBe(200)
  await server.close()
})

test('an upload that is cut off stores nothing and disturbs nobody', async () => {
  await using server = await startServer()
  const socket = connect(server.port, '127.0.0.1')
  socket.write('POST /ingestion/insert_process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 246\r\n\r\n')
  await new Promise((resolve) => socket.write(PROCESS_CBOR.subarray(0, 200), resolve))
  socket.destroy()
  expect((await post(server, 'process', PROCESS_CBOR)).status).toBe(200)
  expect(server.events.map(({ type }) => type)).toEqual(['stored'])
})

test('more large bodies than are held at a time all arrive', async () => {
  await using server = await startServer({ checkBlocks: false })
  const padding = Buffer.concat([
    Buffer.from([0x63, 0x70, 0x61, 0x64, 0x5a, 0, 0x60, 0, 0]),
    Buffer.alloc(0x60_0000),
  ])
  const body = Buffer.concat([Buffer.from([0xad]), padding, PROCESS_CBOR.subarray(1)])
  const answers = await Promise.all(Array.from({ length: 12 }, () => post(server, 'process', body)))
  // Too large for a process, but read to the end.
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([413]))
  expect((await post(server, 'process', PROCESS_CBOR)).status).toBe(200)
})

test('a listener that throws is a warning of the process, not an answer to the client', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  await using server = await startMicromegasServer({
    port: 0,
    temporary: true,
    disableAuth: true,
    onEvent: (event: ServerEvent) => {
      throw new Error(`no use for ${event.type}`)
    },
  })
  expect((await post(server, 'process', PROCESS_CBOR)).status).toBe(200)
  await expect.poll(() => warnings.map(({ message }) => message)).toContain('no use for stored')
  process.off('warning', onWarning)
})

test('the global Request and Response of the host stay what they are', async () => {
  const before = [globalThis.Request, globalThis.Response]
  await using server = await startServer()
  await send(server.url, '/health')
  expect([globalThis.Request, globalThis.Response]).toEqual(before)
})
