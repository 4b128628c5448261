import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { loadUndici } from '../../src/http/clients/undici-client.ts'
import type { HttpEventSinkOptions } from '../../src/sink/http-event-sink.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'
import { startService } from './support/service.ts'
import { QUICK, SinkUnderTest } from './support/sink.ts'

/** A TCP server whose connections are handled by hand. */
class RawServer implements AsyncDisposable {
  readonly sockets: Set<Socket> = new Set()
  readonly server: Server
  accepted = 0

  constructor(onData: (socket: Socket, chunk: Buffer, connection: number) => void) {
    this.server = createServer((socket) => {
      const connection = ++this.accepted
      this.sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.sockets.delete(socket))
      socket.on('data', (chunk) => onData(socket, chunk, connection))
    })
  }

  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
    await once(this.server, 'close')
  }
}

const ONE_AT_A_TIME = { ...QUICK, maxInFlightRequests: 1 }

const CLIENTS = {
  undici: loadUndici,
  "Node's own client": () => Promise.reject(new Error('not installed')),
}

describe.each(Object.entries(CLIENTS))('over %s', (_name, load) => {
  const open = (url: string, options?: HttpEventSinkOptions, clock?: ManualClock): SinkUnderTest =>
    new SinkUnderTest(url, options, undefined, { loadUndici: load, busyRequests: 0, ...(clock && { clock }) })

  test('one connection carries request after request', async () => {
    await using service = await startService()
    await using under = open(service.url, ONE_AT_A_TIME)
    for (let i = 0; i < 10; i++) under.push()
    await under.sink.flush()
    expect(service.connections).toBe(1)
  })

  test('an idle connection is closed after two seconds, though the server would keep it for a minute', async () => {
    await using service = await startService()
    service.server.keepAliveTimeout = 60_000
    await using under = open(service.url, ONE_AT_A_TIME)
    under.push()
    await under.sink.flush()
    const [socket] = service.sockets
    const idleSince = performance.now()
    await once(socket!, 'close')
    expect(performance.now() - idleSince).toBeGreaterThan(1_500)
  })

  test('a reset of a kept connection is repaired at once and is no failed attempt', async () => {
    // Answers the first request of each connection and resets it upon the second: the idle race, every time.
    const seen = new Map<Socket, number>()
    await using server = await new RawServer((socket, chunk) => {
      if (!chunk.toString('latin1').startsWith('POST')) return
      const count = (seen.get(socket) ?? 0) + 1
      seen.set(socket, count)
      if (count === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
      else socket.resetAndDestroy()
    }).listen()
    await using under = open(server.url, {
      ...ONE_AT_A_TIME,
      metadataRetry: { baseDelayMs: 60_000, maxDelayMs: 60_000 }, // a wait would be noticed
      blocksRetry: { baseDelayMs: 60_000, maxDelayMs: 60_000 },
    })
    for (let i = 0; i < 5; i++) under.push()
    expect((await under.sink.flush()).delivered.blocks).toBe(5)
    expect(under.sink.stats()).toMatchObject({ attempts: 7, failedAttempts: 0 })
    expect(under.sink.stats().staleConnections).toBeGreaterThan(0)
  })

  test('a reset of a fresh connection is a failed attempt', async () => {
    let resets = 2
    await using server = await new RawServer((socket) => {
      if (resets-- > 0) socket.resetAndDestroy()
      else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    }).listen()
    await using under = open(server.url, ONE_AT_A_TIME)
    under.push()
    expect((await under.sink.flush()).delivered.blocks).toBe(1)
    expect(under.sink.stats()).toMatchObject({ failedAttempts: 2, staleConnections: 0 })
  })

  test('a connection that answered 5xx is not used again', async () => {
    await using service = await startService(({ index }) => (index % 2 === 1 ? 503 : 200))
    await using under = open(service.url, ONE_AT_A_TIME)
    for (let i = 0; i < 4; i++) under.push()
    await under.sink.flush()
    const failed = service.requests.filter(({ index }) => index % 2 === 1)
    for (const { index, connection } of failed) {
      const later = service.requests.slice(index + 1)
      expect(later.every((request) => request.connection !== connection)).toBe(true)
    }
  })

  test('a connection reset in the middle of a body is retried with the whole body', async () => {
    let resets = 0
    await using service = await startService()
    service.server.on('connection', (socket: Socket) => {
      if (resets >= 3) return
      let bytes = 0
      socket.on('data', (chunk) => {
        bytes += chunk.length
        if (bytes > 100_000 && resets < 3) {
          resets++
          socket.resetAndDestroy()
        }
      })
    })
    await using under = open(service.url, ONE_AT_A_TIME)
    const block = under.push('cpu', 1, 0)
    const noise = {
      ...block,
      blockId: 'b4a0e4b4-0000-4000-8000-000000000000',
      objects: incompressible(2_000_000),
    }
    under.sink.onBlock(noise)
    expect((await under.sink.flush()).delivered.blocks).toBe(2)
    expect(resets).toBe(3)
    expect(service.of('block').filter(({ id }) => id === noise.blockId)).toHaveLength(1)
  })

  test('a 200 whose body is cut is a delivery: the status was sent after the block was stored', async () => {
    await using server = await new RawServer((socket) => {
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\npartial')
    }).listen()
    await using under = open(server.url, ONE_AT_A_TIME)
    under.push()
    expect((await under.sink.flush()).delivered.blocks).toBe(1)
    expect(under.sink.stats().attempts).toBe(3)
  })

  test('a body that never ends is not waited for', async () => {
    const endless = Buffer.alloc(64 * 1024, 'x')
    await using server = await new RawServer((socket) => {
      const more = (): void => {
        if (!socket.destroyed) socket.write(endless, more)
      }
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n', more)
    }).listen()
    await using under = open(server.url, ONE_AT_A_TIME, new ManualClock()) // which stands still
    under.push()
    expect((await under.sink.flush()).delivered.blocks).toBe(1)
  })

  test('a body that trickles delays the connection by a second at most', async () => {
    await using server = await new RawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n')
      const timer = setInterval(() => socket.write('x'), 20)
      socket.on('close', () => clearInterval(timer))
    }).listen()
    const clock = new ManualClock()
    await using under = open(server.url, undefined, clock)
    under.push()
    expect((await clock.settle(under.sink.flush(), 1_000)).delivered.blocks).toBe(1)
  })

  test('headers that trickle end with the time of the attempt, and its connection with them', async () => {
    let slow = true
    await using server = await new RawServer((socket) => {
      if (!slow) {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
        return
      }
      const text = 'HTTP/1.1 200 OK\r\nx-padding: '
      let at = 0
      const timer = setInterval(() => socket.write(text[at++] ?? 'x'), 10)
      socket.on('close', () => clearInterval(timer))
    }).listen()
    await using under = open(server.url, { ...ONE_AT_A_TIME, requestTimeoutMs: 200 })
    under.push()
    await until(() => under.sink.stats().failedAttempts >= 2)
    expect(server.sockets.size).toBeLessThanOrEqual(1)
    slow = false
    expect((await under.sink.flush()).delivered.blocks).toBe(1)
  })

  test('what is no HTTP at all is retried', async () => {
    let rubbish = 2
    await using server = await new RawServer((socket) => {
      socket.end(rubbish-- > 0 ? 'SSH-2.0-OpenSSH_9\r\n' : 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    }).listen()
    await using under = open(server.url, ONE_AT_A_TIME)
    under.push()
    expect((await under.sink.flush()).delivered.blocks).toBe(1)
  })

  test('an interim 103 answer is not taken for the answer', async () => {
    await using server = await new RawServer((socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')
    }).listen()
    await using under = open(server.url, ONE_AT_A_TIME)
    under.push()
    expect((await under.sink.flush()).dropped.blocks).toBe(1)
  })

  test('an early answer to a body that is still being sent is heard', async () => {
    await using server = await new RawServer((socket) => {
      socket.write('HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n')
    }).listen()
    await using under = open(server.url, ONE_AT_A_TIME)
    const block = under.push('cpu', 1, 0)
    under.sink.onBlock({ ...block, objects: incompressible(8_000_000) })
    await under.sink.flush()
    expect(under.sink.stats().drops.find(({ kind }) => kind === 'cpu')).toMatchObject({
      reason: 'too_large',
      blocks: 2,
    })
  })

  test.each(['100 Continue', '102 Processing', '103 Early Hints'])(
    'interim answers (%s) are passed over in whatever packets they come',
    async (interim) => {
      const answer = `HTTP/1.1 ${interim}\r\nlink: x\r\n\r\n`.repeat(2)
      await using server = await new RawServer(async (socket, chunk) => {
        if (!chunk.toString('latin1').startsWith('POST')) return
        socket.setNoDelay(true)
        for (const byte of Buffer.from(`${answer}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n`)) {
          socket.write(Buffer.of(byte))
          await new Promise(setImmediate)
        }
      }).listen()
      await using under = open(server.url, ONE_AT_A_TIME)
      for (let i = 0; i < 3; i++) under.push()
      expect((await under.sink.flush()).delivered.blocks).toBe(3)
      expect(under.sink.stats().failedAttempts).toBe(0)
    },
  )

  test('100 Continue, unasked, is passed over', async () => {
    await using server = await new RawServer((socket, chunk) => {
      if (!chunk.toString('latin1').startsWith('POST')) return
      socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    }).listen()
    await using under = open(server.url, ONE_AT_A_TIME)
    for (let i = 0; i < 5; i++) under.push()
    expect((await under.sink.flush()).delivered.blocks).toBe(5)
    expect(under.sink.stats().failedAttempts).toBe(0)
  })
})

test('undici is loaded where requests are many, and nowhere else', async () => {
  await using service = await startService()
  let loads = 0
  const counted = (): ReturnType<typeof loadUndici> => {
    loads += 1
    return loadUndici()
  }
  await using under = new SinkUnderTest(service.url, ONE_AT_A_TIME, undefined, {
    loadUndici: counted,
    busyRequests: 20,
  })
  const send = async (blocks: number): Promise<void> => {
    for (let i = 0; i < blocks; i++) under.push()
    await under.sink.flush()
  }
  await send(10)
  expect(loads).toBe(0)
  await send(30)
  expect(loads).toBe(1)
  // By both clients, one connection each at a time.
  await expect.poll(() => send(1).then(() => service.connections)).toBe(2)
  expect(under.sink.stats()).toMatchObject({ failedAttempts: 0, dropped: { blocks: 0 } })
  expect(loads).toBe(1)
})

test('that undici cannot be loaded is said once, and costs nothing', async () => {
  await using service = await startService()
  const loadUndici = () => Promise.reject(new Error('Dynamic require of "node:assert" is not supported'))
  await using under = new SinkUnderTest(service.url, QUICK, undefined, { loadUndici, busyRequests: 0 })
  for (let i = 0; i < 10; i++) under.push()
  expect((await under.sink.flush()).delivered.blocks).toBe(10)
  expect(under.warnings.filter((line) => line.includes('undici'))).toEqual([
    'micromegas: undici cannot be loaded (Dynamic require of "node:assert" is not supported): ' +
      "Node's own HTTP client takes over, nothing is lost",
  ])
})

function incompressible(count: number): Uint8Array {
  const words = new Uint32Array(count / 4)
  let state = 1
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    words[i] = state ^ (state >>> 13)
  }
  return new Uint8Array(words.buffer)
}
