import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { PROCESS_CBOR } from '../../../test/telemetry/worked-examples.ts'
import { Connections } from '../../src/receive/connections.ts'
import { BodyReader } from '../../src/receive/request-body.ts'
import { post, send, startServer } from '../support/server.ts'

const MIB = 1024 * 1024

const open: Socket[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

/** Begins an upload and stops in the middle. */
async function stall(port: number, bytes: number, announced = 64 * MIB): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  open.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(
    `POST /ingestion/insert_block HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${announced}\r\n\r\n`,
  )
  await new Promise((resolve) => socket.write(Buffer.alloc(bytes), resolve))
  return socket
}

/** A body that is too large for a process, so that it is read to its end and refused. */
const LARGE = Buffer.alloc(6 * MIB)

describe('uploads that stall', () => {
  test('hold up nobody, however many there are', async () => {
    await using server = await startServer()
    for (let i = 0; i < 20; i++) await stall(server.port, 2 * MIB)
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(server, 'process', LARGE)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([413]))
    expect((await post(server, 'process', PROCESS_CBOR)).status).toBe(200)
  })

  test('give their room back when others wait for it: 408, which is retried', async () => {
    await using bodies = await startBodies(3 * MIB)
    const stalled = await Promise.all([bodies.stall(2 * MIB), bodies.stall(2 * MIB)])
    const answers = await Promise.all([bodies.post(2 * MIB), bodies.post(2 * MIB)])
    expect(answers).toEqual([200, 200])
    // Whoever did not hold anything that the others needed goes on.
    const small = await bodies.stall(1024)
    const ends = await Promise.all(stalled.map((socket) => once(socket, 'data')))
    expect(ends.map(([data]) => String(data).slice(0, 12))).toEqual(['HTTP/1.1 408', 'HTTP/1.1 408'])
    expect(small.destroyed).toBe(false)
  })

  test('do not stop at the bound when each of the others is too large for it', async () => {
    await using bodies = await startBodies(MIB)
    const answers = await Promise.all(Array.from({ length: 6 }, () => bodies.post(4 * MIB)))
    expect(answers).toEqual([200, 200, 200, 200, 200, 200])
    expect(bodies.reader).toMatchObject({ bytes: 0 })
  })

  test('and go away give their room back', async () => {
    await using bodies = await startBodies(MIB)
    const gone = await Promise.all([bodies.stall(2 * MIB), bodies.stall(2 * MIB)])
    for (const socket of gone) socket.destroy()
    expect(await bodies.post(4 * MIB)).toBe(200)
    await expect.poll(() => bodies.reader.bytes).toBe(0)
  })
})

describe('connections', () => {
  test('beyond the bound end those that have been idle the longest, not those with a request', async () => {
    await using server = await startServer({ maxConnections: 5 })
    const busy = await stall(server.port, 10, 1000)
    const idle: Socket[] = []
    for (let i = 0; i < 4; i++) idle.push(await connected(server.port))
    expect((await send(server.url, '/health')).status).toBe(200)
    await expect.poll(() => idle.map(({ closed }) => closed)).toEqual([true, false, false, false])
    for (let i = 0; i < 10; i++) expect((await send(server.url, '/health')).status).toBe(200)
    expect(busy.destroyed).toBe(false)
    expect(server.reasons()).toEqual([])
  })

  test('all with a request leave none for more, which is told once a minute', async () => {
    const server = createServer(() => {})
    const warnings: string[] = []
    let now = 0
    const connections = new Connections(server, {
      max: 2,
      warn: (line) => warnings.push(line),
      clock: () => now,
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (let i = 0; i < 2; i++) {
      const socket = await connected(port)
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
      await once(server, 'request')
    }
    const refused = async (): Promise<void> => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      await once(socket, 'close')
    }
    for (let i = 0; i < 5; i++) await refused()
    expect(warnings).toEqual([
      'all 2 connections are in use: new ones are turned away (option maxConnections)',
    ])
    now = 60_000
    await refused()
    expect(warnings).toHaveLength(2)
    await connections.close(0)
  })

  test('that come and go a thousand times leave the server as it was', async () => {
    await using server = await startServer({ maxConnections: 20 })
    for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 20 }, () => connected(server.port)))
    expect((await send(server.url, '/health')).status).toBe(200)
  })
})

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  open.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** A server that only reads bodies, into little room. */
async function startBodies(roomBytes: number) {
  const reader = new BodyReader({ limit: 64 * MIB, roomBytes, paceMs: 100, clock: () => performance.now() })
  const server = createServer((request: IncomingMessage, response) => {
    void reader
      .read(request, async () => 200)
      .catch((error: Error) => (error.name === 'BodyTooSlow' ? 408 : 400))
      .then((status) => response.writeHead(status).end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    reader,
    stall: (bytes: number) => stall(port, bytes),
    post: (bytes: number) =>
      new Promise<number | undefined>((resolve, reject) => {
        const outgoing = httpRequest(
          { port, host: '127.0.0.1', method: 'POST', agent: false },
          (response) => {
            response.resume()
            resolve(response.statusCode)
          },
        )
        outgoing.on('error', reject)
        outgoing.end(Buffer.alloc(bytes))
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
