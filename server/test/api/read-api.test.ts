import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { getJson, insert, insertBlocks, send, startServer, type TestServer } from '../support/server.ts'
import {
  imageBlock,
  logBlock,
  metricBlock,
  processBody,
  process as processInfo,
  START_NS,
  spanBlock,
  stream,
  streamBody,
} from '../support/telemetry.ts'

const shop = processInfo({ exe: '/srv/shop/main.js', properties: { version: '1.2.3' } })
const mail = processInfo({ exe: '/srv/mail/main.js', parentProcessId: shop.processId, startTicks: 2n ** 60n })
const logs = stream(shop, 'log')
const mailLogs = stream(mail, 'log')
const metrics = stream(shop, 'metrics')
const cpu = stream(shop, 'cpu')
const images = stream(shop, 'image')
const picture = Buffer.from('89504e470d0a1a0a', 'hex')
const picked = logBlock(shop, logs, [
  { at: 1_000, message: 'ready', target: 'shop.main' },
  {
    at: 2_000,
    message: 'order 1 placed',
    target: 'shop.checkout',
    properties: { region: 'EU', __proto__: 'x' },
  },
  { at: 3_000, level: 2, message: 'payment refused', target: 'shop.checkout.payment' },
])
const image = imageBlock(shop, images, 9_000, 'chart', picture)

let server: TestServer
beforeAll(async () => {
  server = await startServer()
  await insert(server, 'process', processBody(shop), processBody(mail))
  await insert(server, 'stream', ...[logs, mailLogs, metrics, cpu, images].map((info) => streamBody(info)))
  await insertBlocks(
    server,
    picked,
    logBlock(shop, logs, [
      { at: 4_000, level: 5, message: 'cache miss', target: 'shop.cache' },
      { at: 5_000, level: 3, message: 'slow', target: 'shop.checkout' },
    ]),
    logBlock(mail, mailLogs, [{ at: Number(2n ** 60n) + 1_024, message: 'mail sent', target: 'mail' }], {
      beginTicks: 0,
      endTicks: 10_000,
    }),
    metricBlock(shop, metrics, 'latency', [
      [1_000, 1.5],
      [2_000, Number.NaN],
      [3_000, 4.5],
    ]),
    metricBlock(shop, metrics, 'queue', [[5_000, Number.POSITIVE_INFINITY]]),
    // One call tree over two blocks, and an async span across both.
    spanBlock(
      shop,
      cpu,
      [
        ['begin', 'main', 1_000],
        ['async begin', 'request', 1_500, 7, 0, 0],
        ['begin', 'parse', 2_000],
      ],
      { beginTicks: 1_000, endTicks: 3_000 },
    ),
    spanBlock(
      shop,
      cpu,
      [
        ['end', 'parse', 4_000],
        ['async begin', 'query', 4_500, 8, 7, 1],
        ['async end', 'query', 5_500, 8, 7, 1],
        ['end', 'main', 6_000],
        ['async end', 'request', 1_500 + 5_000_000, 7, 0, 0],
      ],
      { beginTicks: 3_000, endTicks: 6_000_000, objectOffset: 3 },
    ),
    image,
  )
  await server.idle()
})
afterAll(() => server.close())

const get = (path: string) => getJson(server, `/api/${path}`)
const messages = async (query: string) =>
  (await get(`log_entries?${query}`)).rows.map((row: { msg: string }) => row.msg)

describe('processes', () => {
  test('are listed with what came from them', async () => {
    const { rows, next_cursor } = await get('processes')
    expect(rows).toHaveLength(2)
    expect(next_cursor).toBeNull()
    const row = rows.find((candidate: { process_id: string }) => candidate.process_id === shop.processId)
    expect(row).toMatchObject({
      exe: '/srv/shop/main.js',
      tsc_frequency: '1000000000',
      start_time: '2024-01-01T00:00:00.000000000Z',
      start_ticks: '0',
      parent_process_id: null,
      properties: { version: '1.2.3' },
      streams: 4,
      blocks: 7,
      events: 5 + 4 + 8 + 1,
    })
  })

  test('are found by a part of their name, page by page', async () => {
    expect((await get('processes?exe=MAIL')).rows.map((row: { exe: string }) => row.exe)).toEqual([
      '/srv/mail/main.js',
    ])
    const first = await get('processes?limit=1')
    const second = await get(`processes?limit=1&cursor=${first.next_cursor}`)
    const ids = [...first.rows, ...second.rows].map((row: { process_id: string }) => row.process_id)
    expect(new Set(ids)).toEqual(new Set([shop.processId, mail.processId]))
    expect(second.next_cursor).toBeNull()
  })

  test('are shown with their streams; 64-bit integers keep every digit', async () => {
    const row = await get(`processes/${mail.processId.toUpperCase()}`)
    expect(row).toMatchObject({ start_ticks: '1152921504606846976', parent_process_id: shop.processId })
    expect(row.streams).toMatchObject([{ stream_id: mailLogs.streamId, tags: ['log'], blocks: 1, events: 1 }])
    expect((await send(server.url, '/api/processes/nonsense')).status).toBe(404)
  })
})

describe('log entries', () => {
  test('have the columns of the view, the newest first', async () => {
    const { rows } = await get(`log_entries?process_id=${shop.processId}`)
    expect(rows.map((row: { msg: string }) => row.msg)).toEqual([
      'slow',
      'cache miss',
      'payment refused',
      'order 1 placed',
      'ready',
    ])
    expect(rows[3]).toEqual({
      time: '2024-01-01T00:00:00.000002000Z',
      time_ns: '1704067200000002000',
      process_id: shop.processId,
      stream_id: logs.streamId,
      block_id: picked.blockId,
      index: 1,
      exe: '/srv/shop/main.js',
      level: 4,
      level_name: 'info',
      target: 'shop.checkout',
      msg: 'order 1 placed',
      properties: { region: 'EU' },
    })
  })

  test('are filtered by level, target, text, time and stream', async () => {
    expect(await messages('level=warn')).toEqual(['slow', 'payment refused'])
    expect(await messages('level=2')).toEqual(['payment refused'])
    expect(await messages('target=shop.checkout')).toEqual(['slow', 'order 1 placed'])
    expect(await messages('target=shop.checkout*&order=oldest')).toEqual([
      'order 1 placed',
      'payment refused',
      'slow',
    ])
    expect(await messages('target=*&max_level=error')).toEqual(['payment refused'])
    expect(await messages('target=*&level=error')).toEqual(['payment refused'])
    const misplaced = await send(server.url, '/api/log_entries?target=*.checkout')
    expect([misplaced.status, JSON.parse(misplaced.text)]).toEqual([
      400,
      { error: "target: expected a text, or its beginning with a '*' at the end" },
    ])
    expect(await messages('search=ORDER')).toEqual(['order 1 placed'])
    expect(await messages('search=eu')).toEqual(['order 1 placed'])
    expect(await messages('since=2024-01-01T00:00:00.000003Z&until=2024-01-01T00:00:00.000005Z')).toEqual([
      'cache miss',
      'payment refused',
    ])
    expect(await messages(`since=${START_NS + 3000n}&until=${START_NS + 3001n}`)).toEqual(['payment refused'])
    expect(await messages(`since=2024-01-01T00:00:00.000004999Z&stream_id=${logs.streamId}`)).toEqual([
      'slow',
    ])
    expect(await messages(`stream_id=${mailLogs.streamId}`)).toEqual(['mail sent'])
    expect(await messages('process_id=00000000-0000-4000-8000-00000000ffff')).toEqual([])
  })

  test('that began before the time asked for, or end after it, are shown whole', async () => {
    await using own = await startServer()
    const [one, two] = [stream(shop, 'cpu'), stream(shop, 'cpu')]
    await insert(own, 'process', processBody(shop))
    await insert(own, 'stream', streamBody(one), streamBody(two))
    await insertBlocks(
      own,
      spanBlock(
        shop,
        one,
        [
          ['begin', 'outer', 1_000],
          ['begin', 'inner', 2_000],
          ['async begin', 'request', 2_500, 7, 0, 0],
        ],
        { endTicks: 3_000 },
      ),
      // Nothing of the first stream while this one is busy; the async span ends elsewhere.
      spanBlock(
        shop,
        two,
        [
          ['begin', 'busy', 10_000],
          ['end', 'busy', 11_000],
          ['async end', 'request', 12_000, 7, 0, 0],
        ],
        { endTicks: 12_000 },
      ),
      spanBlock(
        shop,
        one,
        [
          ['end', 'inner', 20_000],
          ['end', 'outer', 30_000],
        ],
        { beginTicks: 3_000, objectOffset: 3 },
      ),
    )
    const between = async (since: bigint, until: bigint) => {
      const { rows, problems } = await getJson(
        own,
        `/api/spans?order=oldest&since=${START_NS + since}&until=${START_NS + until}`,
      )
      expect(problems).toEqual([])
      return rows.map(({ name, duration_ns: duration }: Record<string, string>) => `${name} ${duration}`)
    }
    expect(await between(10_000n, 11_000n)).toEqual([
      'outer 29000',
      'inner 18000',
      'request 9500',
      'busy 1000',
    ])
    expect(await between(15_000n, 16_000n)).toEqual(['outer 29000', 'inner 18000'])
    expect(await between(25_000n, 26_000n)).toEqual(['outer 29000'])
    expect(await between(1_000n, 1_500n)).toEqual(['outer 29000'])
    expect(await between(0n, 1_000n)).toEqual([])
    expect(await between(31_000n, 32_000n)).toEqual([])
  })

  test('say when there is too much beside the time asked for to find those that reach into it', async () => {
    await using own = await startServer()
    await insert(own, 'process', processBody(shop))
    await insert(own, 'stream', streamBody(cpu))
    for (let i = 0; i < 4; i++) {
      const events = [['begin', `s${i}`, i * 100] as const, ['end', `s${i}`, i * 100 + 10] as const]
      await insertBlocks(own, spanBlock(shop, cpu, events, { eventCount: 50_000, objectOffset: i * 2 }))
    }
    const { rows, problems } = await getJson(own, `/api/spans?since=${START_NS + 300n}`)
    expect(rows.map(({ name }: { name: string }) => name)).toEqual(['s3'])
    expect(problems).toEqual([
      { process_id: null, stream_id: null, reason: expect.stringContaining('began long before it') },
    ])
    expect((await getJson(own, `/api/spans?since=${START_NS + 200n}`)).problems).toEqual([])
  })

  test('come page by page in both orders', async () => {
    for (const order of ['newest', 'oldest']) {
      const all = await messages(`order=${order}`)
      const paged: string[] = []
      let cursor = ''
      do {
        const page = await get(`log_entries?order=${order}&limit=2&cursor=${cursor}`)
        paged.push(...page.rows.map((row: { msg: string }) => row.msg))
        cursor = page.next_cursor
      } while (cursor !== null)
      expect(paged).toEqual(all)
      expect(all).toHaveLength(6)
    }
  })
})

describe('measures', () => {
  test('have the columns of the view; what is no number is a string', async () => {
    const { rows } = await get('measures?name=latency&order=oldest')
    expect(rows.map((row: { value: unknown }) => row.value)).toEqual([1.5, 'NaN', 4.5])
    expect(rows[0]).toMatchObject({ name: 'latency', unit: 'ms', target: 'app', properties: {} })
    expect((await get('measures?name=q*')).rows[0].value).toBe('Infinity')
  })

  test('are summed up by metric', async () => {
    const { rows, complete } = await get(`measures/summary?name=latency&until=2024-01-01T00:00:00.000002Z`)
    expect(complete).toBe(true)
    expect(rows).toEqual([
      {
        process_id: shop.processId,
        exe: '/srv/shop/main.js',
        name: 'latency',
        unit: 'ms',
        target: 'app',
        count: 1,
        sum: 1.5,
        min: 1.5,
        max: 1.5,
        mean: 1.5,
        last: 1.5,
        last_time: '2024-01-01T00:00:00.000001000Z',
      },
    ])
    expect((await get('measures/summary')).rows.map((row: { name: string }) => row.name)).toEqual([
      'latency',
      'queue',
    ])
  })
})

describe('spans', () => {
  test('of both kinds are rebuilt across blocks', async () => {
    const { rows, problems } = await get('spans?order=oldest')
    expect(problems).toEqual([])
    const seen = rows.map((row: Record<string, unknown>) => [
      row.kind,
      row.name,
      row.id,
      row.parent,
      row.depth,
      row.duration_ns,
    ])
    expect(seen).toEqual([
      ['thread', 'main', '0', '-1', 1, '5000'],
      ['async', 'request', '7', '0', 0, '5000000'],
      ['thread', 'parse', '2', '0', 2, '2000'],
      ['async', 'query', '8', '7', 1, '1000'],
    ])
    expect(rows[1]).toMatchObject({
      begin: '2024-01-01T00:00:00.000001500Z',
      duration_ms: 5,
      filename: 'a.ts',
      line: 42,
      target: 'app',
      process_id: shop.processId,
      stream_id: null,
    })
  })

  test('are filtered by kind, name, duration and time', async () => {
    const names = async (query: string) =>
      (await get(`spans?${query}`)).rows.map((row: { name: string }) => row.name)
    expect(await names('kind=thread')).toEqual(['parse', 'main'])
    expect(await names('kind=async&name=que*')).toEqual(['query'])
    expect(await names('min_duration_ms=0.005')).toEqual(['request', 'main'])
    expect(await names('min_duration_ms=5')).toEqual(['request'])
    expect(await names(`process_id=${mail.processId}`)).toEqual([])
    expect(await names('until=2024-01-01T00:00:00.000001500Z')).toEqual(['main'])
  })

  test('that began before the time asked for, or end after it, are shown whole', async () => {
    await using own = await startServer()
    const [one, two] = [stream(shop, 'cpu'), stream(shop, 'cpu')]
    await insert(own, 'process', processBody(shop))
    await insert(own, 'stream', streamBody(one), streamBody(two))
    await insertBlocks(
      own,
      spanBlock(
        shop,
        one,
        [
          ['begin', 'outer', 1_000],
          ['begin', 'inner', 2_000],
          ['async begin', 'request', 2_500, 7, 0, 0],
        ],
        { endTicks: 3_000 },
      ),
      // Nothing of the first stream while this one is busy; the async span ends elsewhere.
      spanBlock(
        shop,
        two,
        [
          ['begin', 'busy', 10_000],
          ['end', 'busy', 11_000],
          ['async end', 'request', 12_000, 7, 0, 0],
        ],
        { endTicks: 12_000 },
      ),
      spanBlock(
        shop,
        one,
        [
          ['end', 'inner', 20_000],
          ['end', 'outer', 30_000],
        ],
        { beginTicks: 3_000, objectOffset: 3 },
      ),
    )
    const between = async (since: bigint, until: bigint) => {
      const { rows, problems } = await getJson(
        own,
        `/api/spans?order=oldest&since=${START_NS + since}&until=${START_NS + until}`,
      )
      expect(problems).toEqual([])
      return rows.map(({ name, duration_ns: duration }: Record<string, string>) => `${name} ${duration}`)
    }
    expect(await between(10_000n, 11_000n)).toEqual([
      'outer 29000',
      'inner 18000',
      'request 9500',
      'busy 1000',
    ])
    expect(await between(15_000n, 16_000n)).toEqual(['outer 29000', 'inner 18000'])
    expect(await between(25_000n, 26_000n)).toEqual(['outer 29000'])
    expect(await between(1_000n, 1_500n)).toEqual(['outer 29000'])
    expect(await between(0n, 1_000n)).toEqual([])
    expect(await between(31_000n, 32_000n)).toEqual([])
  })

  test('say when there is too much beside the time asked for to find those that reach into it', async () => {
    await using own = await startServer()
    await insert(own, 'process', processBody(shop))
    await insert(own, 'stream', streamBody(cpu))
    for (let i = 0; i < 4; i++) {
      const events = [['begin', `s${i}`, i * 100] as const, ['end', `s${i}`, i * 100 + 10] as const]
      await insertBlocks(own, spanBlock(shop, cpu, events, { eventCount: 50_000, objectOffset: i * 2 }))
    }
    const { rows, problems } = await getJson(own, `/api/spans?since=${START_NS + 300n}`)
    expect(rows.map(({ name }: { name: string }) => name)).toEqual(['s3'])
    expect(problems).toEqual([
      { process_id: null, stream_id: null, reason: expect.stringContaining('began long before it') },
    ])
    expect((await getJson(own, `/api/spans?since=${START_NS + 200n}`)).problems).toEqual([])
  })

  test('come page by page in both orders', async () => {
    for (const order of ['newest', 'oldest']) {
      const all = (await get(`spans?order=${order}`)).rows
      const paged: unknown[] = []
      let cursor = ''
      do {
        const page = await get(`spans?order=${order}&limit=1&cursor=${cursor}`)
        paged.push(...page.rows)
        cursor = page.next_cursor
      } while (cursor !== null)
      expect(paged).toEqual(all)
    }
  })

  test.for(['newest', 'oldest'])(
    'that are too many for one answer come in parts, the %s first',
    async (order) => {
      await using own = await startServer()
      const streams = [stream(shop, 'cpu'), stream(shop, 'cpu')]
      await insert(own, 'process', processBody(shop))
      await insert(own, 'stream', ...streams.map((info) => streamBody(info)))
      // Blocks that say they have more events than an answer reads, on two streams that overlap in time.
      for (let i = 0; i < 12; i++) {
        const begin = i * 60
        const events = Array.from(
          { length: 10 },
          (_, k) => [k % 2 === 0 ? 'begin' : 'end', `s${i}`, begin + k * 10] as const,
        )
        await insertBlocks(own, spanBlock(shop, streams[i % 2]!, events, { eventCount: 200_000 }))
      }
      const names: string[] = []
      let cursor = ''
      let pages = 0
      do {
        const page = await getJson(own, `/api/spans?order=${order}&limit=100&cursor=${cursor}`)
        names.push(
          ...page.rows.map(
            (row: { name: string; begin_ns: string }) => `${row.name}@${BigInt(row.begin_ns) - START_NS}`,
          ),
        )
        expect(page.problems[0].reason).toContain('more than 500000 span events')
        cursor = page.next_cursor
      } while (cursor !== null && ++pages < 50)
      const expected = Array.from({ length: 12 }, (_, i) =>
        Array.from({ length: 5 }, (_, k) => `s${i}@${i * 60 + k * 20}`),
      )
      expect([...names].sort()).toEqual(expected.flat().sort())
      expect(pages).toBeGreaterThan(2)
    },
  )

  test('of a stream that cannot be rebuilt are said to be, the others are shown', async () => {
    await using own = await startServer()
    const broken = stream(shop, 'cpu')
    await insert(own, 'process', processBody(shop))
    await insert(own, 'stream', streamBody(cpu), streamBody(broken))
    await insertBlocks(
      own,
      spanBlock(shop, cpu, [
        ['begin', 'fine', 1],
        ['end', 'fine', 2],
      ]),
      spanBlock(shop, broken, [
        ['begin', 'one', 1],
        ['end', 'other', 2],
      ]),
    )
    const { rows, problems } = await getJson(own, '/api/spans')
    expect(rows.map((row: { name: string }) => row.name)).toEqual(['fine'])
    expect(problems).toEqual([
      {
        process_id: shop.processId,
        stream_id: broken.streamId,
        reason: expect.stringContaining("'other' ends while 'one' is open"),
      },
    ])
  })
})

describe('images', () => {
  test.for(['constructor', '__proto__', 'toString', 'hasOwnProperty', '', 'svg', 'text/html'])(
    'of the format %j are a download',
    async (format) => {
      await using other = await startServer()
      const picked = imageBlock(shop, images, 1, 'x', Buffer.from('<script>'), format)
      await insert(other, 'process', processBody(shop))
      await insert(other, 'stream', streamBody(images))
      await insertBlocks(other, picked)
      const answer = await send(other.url, `/api/images/${picked.blockId}/0`)
      expect([answer.status, answer.headers['content-type'], answer.headers['content-disposition']]).toEqual([
        200,
        'application/octet-stream',
        'attachment',
      ])
    },
  )

  test('are listed without their data, which has an address of its own', async () => {
    const { rows } = await get('images')
    expect(rows).toMatchObject([{ name: 'chart', format: 'png', payload_size: 8 }])
    const response = await fetch(`${server.url}${rows[0].data}`)
    expect(response.headers.get('content-type')).toBe('image/png')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(Buffer.from(await response.arrayBuffer())).toEqual(picture)
    expect((await send(server.url, `/api/images/${image.blockId}/1`)).status).toBe(404)
    expect((await send(server.url, `/api/images/${picked.blockId}/0`)).status).toBe(404)
  })
})

describe('blocks', () => {
  test('are listed, the latest first, page by page', async () => {
    const { rows } = await get(`blocks?process_id=${shop.processId}`)
    expect(rows).toHaveLength(7)
    const paged: unknown[] = []
    let cursor = ''
    do {
      const page = await get(`blocks?process_id=${shop.processId}&limit=2&cursor=${cursor}`)
      paged.push(...page.rows)
      cursor = page.next_cursor
    } while (cursor !== null)
    expect(paged).toEqual(rows)
    expect((await get(`blocks?stream_id=${logs.streamId}`)).rows).toHaveLength(2)
    expect(rows.every((row: { state: string }) => row.state === 'readable')).toBe(true)
  })

  test('are parsed event by event with all members and their types', async () => {
    const { block, rows, next_cursor } = await get(`blocks/${picked.blockId}?limit=1`)
    expect(block).toMatchObject({
      block_id: picked.blockId,
      nb_objects: 3,
      object_offset: '0',
      begin_ticks: '1000',
    })
    expect(rows).toEqual([
      {
        index: 0,
        type: 'TaggedLogInteropEvent',
        members: [
          { name: 'time', type: 'i64', value: '1000' },
          { name: 'level', type: 'u8', value: 4 },
          { name: 'target', type: null, value: 'shop.main' },
          { name: 'properties', type: null, value: { properties: [] } },
          { name: 'msg', type: null, value: 'ready' },
        ],
      },
    ])
    const rest = await get(`blocks/${picked.blockId}?limit=2&cursor=${next_cursor}`)
    expect(rest.rows.map((row: { index: number }) => row.index)).toEqual([1, 2])
    expect(rest.next_cursor).toBeNull()
    expect((await send(server.url, '/api/blocks/00000000-0000-4000-8000-00000000ffff')).status).toBe(404)
  })
})

describe('the API', () => {
  test('says what is wrong with a query, all of it, and takes no parameter it does not know', async () => {
    const answer = await send(
      server.url,
      '/api/log_entries?limit=0&level=loud&since=yesterday&order=up&proces_id=1&cursor=x',
    )
    expect(answer.status).toBe(400)
    const { error } = JSON.parse(answer.text)
    for (const part of ['limit: ', 'level: ', 'since: ', 'order: ', 'proces_id: unknown', 'cursor: ']) {
      expect(error).toContain(part)
    }
    for (const limit of ['10001', '-1', '1.5', 'NaN', '1e3']) {
      expect((await send(server.url, `/api/measures?limit=${limit}`)).status).toBe(400)
    }
    expect((await send(server.url, '/api/spans?limit=10000')).status).toBe(200)
    expect((await send(server.url, '/api/spans?limit=1&limit=2')).status).toBe(400)
  })

  test('answers unknown routes with 404 as JSON, and never lets an answer be cached', async () => {
    const answer = await send(server.url, '/api/nonsense')
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      404,
      { error: 'no such route: GET /api/nonsense' },
    ])
    expect((await send(server.url, '/api/stats')).headers['cache-control']).toBe('no-store')
  })

  test('counts what happened', async () => {
    const stats = await get('stats')
    expect(stats).toMatchObject({ processes: 2, streams: 5, blocks: 8, max_bytes: 4 * 1024 ** 3 })
    expect(stats.since_start).toMatchObject({
      stored: { process: 2, stream: 5, block: 8 },
      undecodable_blocks: 0,
    })
  })

  test('cuts a long message and says how long it is', async () => {
    await using own = await startServer()
    await insert(own, 'process', processBody(shop))
    await insert(own, 'stream', streamBody(logs))
    await insertBlocks(own, logBlock(shop, logs, [{ at: 1, message: 'm'.repeat(3_000_000) }]))
    const { rows } = await getJson(own, '/api/log_entries')
    expect([rows[0].msg.length, rows[0].msg_length]).toEqual([1024 * 1024, 3_000_000])
    expect((await own.reader.logEntries()).rows[0]?.msg).toHaveLength(3_000_000)
  })

  test('ends a page early rather than answering with hundreds of megabytes', async () => {
    await using own = await startServer()
    await insert(own, 'process', processBody(shop))
    await insert(own, 'stream', streamBody(logs))
    const lines = Array.from({ length: 50 }, (_, i) => ({ at: i, message: 'm'.repeat(1_000_000) }))
    await insertBlocks(own, logBlock(shop, logs, lines))
    const first = await getJson(own, '/api/log_entries?order=oldest')
    expect(first.rows).toHaveLength(33)
    const second = await getJson(own, `/api/log_entries?order=oldest&cursor=${first.next_cursor}`)
    expect(second.rows.map((row: { index: number }) => row.index)).toEqual(
      [...Array(17)].map((_, i) => 33 + i),
    )
    expect(second.next_cursor).toBeNull()
  })
})

test('within the process, a wrong limit or cursor is an error of the caller', async () => {
  await expect(async () => server.reader.logEntries({ limit: 0 })).rejects.toThrow(RangeError)
  await expect(async () => server.reader.measures({ cursor: 'x' })).rejects.toThrow(TypeError)
  await expect(server.reader.spans({ cursor: 'x' })).rejects.toThrow(TypeError)
})

describe('the reader', () => {
  // biome-ignore lint/suspicious/noExplicitAny: what is tested is what the types forbid
  const reader = (): any => server.reader

  test('refuses what is unknown or wrong, all at once', async () => {
    await expect(async () => reader().logEntries({ serch: 'x', order: 'oldst', limit: 0 })).rejects.toThrow(
      new TypeError(
        'serch: unknown, expected processId, streamId, sinceNs, untilNs, limit, order, cursor, maxLevel, target, properties, search; order: expected newest or oldest; limit: expected a whole number from 1 to 10000',
      ),
    )
    for (const [read, query] of [
      ['logEntries', { maxLevel: 7 }],
      ['logEntries', { search: /x/ }],
      ['logEntries', { target: 'shop.*.x' }],
      ['measures', { target: '*.x' }],
      ['logEntries', { toString: 'x' }],
      ['measures', { sinceNs: 1 }],
      ['measures', { processId: 'shop' }],
      ['measureSummaries', { limit: 1 }],
      ['spans', { kind: 'sync' }],
      ['spans', { minDurationNs: 1 }],
      ['images', { search: 'x' }],
      ['processes', { cursor: 'x' }],
      ['blocks', { state: 'open' }],
      ['blocks', { after: 'x' }],
    ] as const) {
      const [name] = Object.keys(query)
      await expect(async () => reader()[read](query)).rejects.toThrow(`${name}: `)
    }
  })

  test('takes every member it names, and undefined for any', async () => {
    const all = { processId: shop.processId, streamId: undefined, sinceNs: 0n, untilNs: 2n ** 62n }
    const paged = { ...all, limit: 10_000, order: 'oldest', cursor: undefined }
    const one = await reader().logEntries({ ...paged, maxLevel: 6, target: 'shop.*', search: 'order' })
    expect(one.rows).toHaveLength(1)
    await reader().measures({ ...paged, name: 'latency', target: 'app', search: '' })
    await reader().measureSummaries({ ...all, name: 'latency', target: 'app', search: '' })
    await reader().spans({ ...paged, kind: 'async', name: '*', target: '*', minDurationNs: 1n })
    await reader().images({ ...paged, name: 'chart' })
    const { next } = await reader().processes({ exe: 'main', limit: 1 })
    expect((await reader().processes({ after: next })).rows).toHaveLength(1)
    const { processId, streamId } = all
    reader().blocks({ processId, streamId, state: 'readable', limit: 1, after: undefined })
  })
})
