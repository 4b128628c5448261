import { describe, expect, test } from 'vitest'
import { Arrivals } from '../../src/live/arrivals.ts'
import { insert, insertBlocks, send, startServer, type TestServer } from '../support/server.ts'
import {
  logBlock,
  metricBlock,
  processBody,
  process as processInfo,
  stream,
  streamBody,
} from '../support/telemetry.ts'

interface Told {
  readonly id: string
  readonly arrivals: readonly {
    readonly process_id: string
    readonly block_id?: string
    readonly tags?: string[]
  }[]
  readonly dropped: number
}

/** One who follows. */
class Follower implements AsyncDisposable {
  readonly #end = new AbortController()
  readonly #reader: ReadableStreamDefaultReader<string>
  readonly status: number
  #text = ''

  private constructor(response: Response, end: AbortController) {
    this.#end = end
    this.status = response.status
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  }

  static async of(server: TestServer, query = '', lastEventId?: string): Promise<Follower> {
    const end = new AbortController()
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    const response = await fetch(`${server.url}/api/live${query}`, { headers, signal: end.signal })
    return new Follower(response, end)
  }

  /** The next event of the stream; `undefined` at its end. */
  async next(): Promise<Record<string, string> | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end >= 0) {
        const lines = this.#text.slice(0, end).split('\n')
        this.#text = this.#text.slice(end + 2)
        return Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2)))
      }
      const { value, done } = await this.#reader.read()
      if (done) return undefined
      this.#text += value
    }
  }

  async told(): Promise<Told> {
    const event = await this.next()
    expect(event?.event).toBe('stored')
    return { id: event!.id!, ...JSON.parse(event!.data!) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort()
    await this.#reader.cancel().catch(() => undefined)
  }
}

const shop = processInfo()
const logs = stream(shop, 'log')
const metrics = stream(shop, 'metrics')
const log = () => logBlock(shop, logs, [{ at: 1_000, message: 'ready', target: 'shop' }])
const metric = () => metricBlock(shop, metrics, 'latency', [[1_000, 1.5]])

describe('a stream of what is stored', () => {
  test('tells of processes and of blocks that can be asked for, and of nothing from before', async () => {
    await using server = await startServer()
    await insert(server, 'process', processBody(processInfo()))
    await using follower = await Follower.of(server)
    expect(await follower.next()).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{8}-1$/),
      retry: '2000',
    })
    const block = log()
    // Nobody can read a block whose stream and process are missing.
    await insertBlocks(server, block)
    await insert(server, 'stream', streamBody(logs))
    await insert(server, 'process', processBody(shop))
    expect(await follower.told()).toMatchObject({
      arrivals: [
        { process_id: shop.processId },
        {
          process_id: shop.processId,
          stream_id: logs.streamId,
          block_id: block.blockId,
          tags: ['log'],
          nb_objects: 1,
        },
      ],
      dropped: 0,
    })
    const [row] = await server.query(
      `SELECT count(*) AS n FROM log_entries WHERE block_id = '${block.blockId}'`,
    )
    expect(row).toEqual({ n: 1n })
  })

  test('tells of one process or one kind where that is asked for', async () => {
    await using server = await startServer()
    const other = processInfo()
    await insert(server, 'process', processBody(shop), processBody(other))
    await insert(server, 'stream', streamBody(logs), streamBody(metrics))
    await using ofMetrics = await Follower.of(server, '?tag=metrics')
    await using ofOther = await Follower.of(server, `?process_id=${other.processId}`)
    await Promise.all([ofMetrics.next(), ofOther.next()])
    const block = metric()
    await insertBlocks(server, log(), block)
    expect((await ofMetrics.told()).arrivals.map(({ block_id }) => block_id)).toEqual([block.blockId])
    const otherLogs = stream(other, 'log')
    await insert(server, 'stream', streamBody(otherLogs))
    await insertBlocks(server, logBlock(other, otherLogs, [{ at: 1, message: 'm', target: 't' }]))
    expect((await ofOther.told()).arrivals.map(({ process_id }) => process_id)).toEqual([other.processId])
    expect((await send(server.url, '/api/live?tag=logs')).status).toBe(400)
    expect((await send(server.url, '/api/live?level=3')).status).toBe(400)
  })

  test('goes on after the event that a client names, and tells all to one of another start', async () => {
    await using server = await startServer()
    await insert(server, 'process', processBody(shop))
    await insert(server, 'stream', streamBody(logs))
    const first = await Follower.of(server)
    const { id } = (await first.next())!
    await first[Symbol.asyncDispose]()
    const missed = log()
    await insertBlocks(server, missed)
    await using again = await Follower.of(server, '', id)
    await again.next()
    expect((await again.told()).arrivals.map(({ block_id }) => block_id)).toEqual([missed.blockId])
    await using foreign = await Follower.of(server, '', '00000000-5')
    await foreign.next()
    expect((await foreign.told()).arrivals).toHaveLength(2)
    const wrong = await send(server.url, '/api/live', { headers: { 'last-event-id': 'x' } })
    expect(wrong).toMatchObject({ status: 400, text: expect.stringContaining('last-event-id') })
  })

  test('sixteen may follow at a time; one that leaves makes room; the end of the server ends all', async () => {
    const server = await startServer()
    const followers: Follower[] = []
    for (let i = 0; i < 16; i++) followers.push(await Follower.of(server))
    expect(followers.map(({ status }) => status)).toEqual(new Array(16).fill(200))
    expect(await send(server.url, '/api/live')).toMatchObject({
      status: 503,
      text: expect.stringContaining('16 streams'),
    })
    await followers[0]![Symbol.asyncDispose]()
    await expect
      .poll(async () => {
        await using next = await Follower.of(server)
        return next.status
      })
      .toBe(200)
    await server.close()
    for (const follower of followers.slice(1)) {
      await follower.next()
      expect(await follower.next()).toBeUndefined()
    }
  })

  test('needs the same credentials as everything else', async () => {
    await using server = await startServer({
      apiKeys: [{ name: 'a', key: 'mmk_0123456789abcdef0123456789abcdef' }],
    })
    expect((await send(server.url, '/api/live')).status).toBe(401)
  })
})

describe('the latest arrivals', () => {
  const arrival = (processId: string) => ({ process: { processId, insertTimeMs: 0, fileBytes: 0 } })
  const idsOf = ({ arrivals }: ReturnType<Arrivals['since']>) =>
    arrivals.map((each) => (each.block === undefined ? each.process.processId : ''))

  test('are held up to a number, and those that are gone are counted', () => {
    const arrivals = new Arrivals(3)
    for (let i = 0; i < 100; i++) {
      arrivals.add(arrival(String(i)))
      const found = arrivals.since(0, 1000)
      expect(found.dropped + found.arrivals.length).toBe(i + 1)
      expect(found.arrivals.length).toBeLessThan(6)
      expect(idsOf(found).at(-1)).toBe(String(i))
    }
    expect(arrivals.end).toBe(100)
    expect(idsOf(arrivals.since(98, 1))).toEqual(['98'])
    expect(arrivals.since(100, 10)).toEqual({ arrivals: [], next: 100, dropped: 0 })
  })

  test('are waited for until one comes, or the wait is over', async () => {
    const arrivals = new Arrivals(3)
    const end = new AbortController()
    const waits = [arrivals.wait(0, 60_000, end.signal), arrivals.wait(0, 60_000, end.signal)]
    arrivals.add(arrival('a'))
    await Promise.all(waits)
    await arrivals.wait(0, 60_000, end.signal)
    await arrivals.wait(1, 1, end.signal)
    const last = arrivals.wait(1, 60_000, end.signal)
    end.abort()
    await last
  })
})
