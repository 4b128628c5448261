import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SqlBatch, SqlRequest } from '../../src/sql/engine.ts'
import { firstEnough } from '../../src/sql/first-enough.ts'
import { LocalEngine } from '../../src/sql/local-engine.ts'
import type { BlockEntry } from '../../src/tables/registry.ts'
import { timeWindow } from '../../src/tables/time-windows.ts'
import {
  logBlock,
  processBody,
  process as processInfo,
  START_NS,
  stream,
  streamBody,
} from '../support/telemetry.ts'
import { ask } from './answers.ts'
import { TEST_OPTIONS } from './golden-engine.ts'
import { MemorySource } from './recordings.ts'

const BLOCKS = 60
const LOGS_PER_BLOCK = 1000
/** Blocks of a stream overlap: the lines of each are 1 µs apart, and the next begins half way through. */
const STEP_NS = 1000
const caller = { admin: false, user: 'alice' }
const shop = processInfo({ exe: 'shop' })
const mail = processInfo({ exe: 'mail' })

/** Two processes with blocks in turns, the times of which overlap; one line in a thousand is an error. */
function source(): MemorySource {
  const found = new MemorySource([])
  const streams = [shop, mail].map((owner) => ({ owner, log: stream(owner, 'log') }))
  for (const { owner, log } of streams) {
    found.add('process', processBody(owner), 1)
    found.add('stream', streamBody(log), 1)
  }
  for (let b = 0; b < BLOCKS; b++) {
    const { owner, log } = streams[b % 2]!
    const begin = (b * LOGS_PER_BLOCK * STEP_NS) / 2
    const lines = Array.from({ length: LOGS_PER_BLOCK }, (_, i) => ({
      at: begin + i * STEP_NS,
      level: i === 500 ? 2 : 4,
      message: b === 3 && i === 7 ? 'platypus' : `line ${i % 10}`,
    }))
    found.add('block', logBlock(owner, log, lines).body, 1)
  }
  return found
}

const blocksRead = (of: MemorySource): number =>
  [...of.reads.keys()].filter((key) => key.startsWith('block:')).length

describe('the first rows of a table by its time', () => {
  const held = source()
  let engine: LocalEngine
  beforeAll(async () => {
    engine = await LocalEngine.open(held, TEST_OPTIONS)
  })
  afterAll(() => engine.close())

  const rowsOf = async (sql: string, more: Partial<SqlRequest> = {}) =>
    (await ask(engine, { sql, caller, range: undefined, ...more })).rows

  const range = { beginNs: START_NS, endNs: START_NS + BigInt((BLOCKS * LOGS_PER_BLOCK * STEP_NS) / 6) }
  const ofMail = `view_instance('log_entries', '${mail.processId}')`

  test.each([
    ['the latest', 'log_entries', 'DESC', '7', {}],
    ['those after them', 'log_entries', 'DESC', '7 OFFSET 5', {}],
    ['the earliest', 'log_entries', 'ASC', '9', {}],
    ['of a process', ofMail, 'DESC', '9', {}],
    ['with a condition', 'log_entries WHERE level < 3', 'DESC', '3', {}],
    ['with one that few rows fulfil', 'log_entries WHERE level < 3', 'DESC', '55', {}],
    ['with one that a single old row fulfils', `log_entries WHERE msg = 'platypus'`, 'DESC', '2', {}],
    ['with one that no row fulfils', `log_entries WHERE msg = 'wombat'`, 'DESC', '2', {}],
    ['of a range', 'log_entries', 'DESC', '9', { range }],
    ['fewer, as the caller says', 'log_entries WHERE level < 3', 'DESC', '50', { limit: 3 }],
    ['none', 'log_entries', 'DESC', '0', {}],
  ])('%s', async (_, from, direction, limit, more) => {
    const select = `SELECT cast(time AS bigint) AS t, exe, level, msg FROM ${from}`
    // Over a query in brackets, all rows are read.
    const all = await rowsOf(`SELECT * FROM (${select}) ORDER BY t ${direction}, exe LIMIT ${limit}`, more)
    expect(await rowsOf(`${select} ORDER BY time ${direction}, exe LIMIT ${limit}`, more)).toEqual(all)
    expect(all.length > 0).toBe(limit !== '0' && !from.includes('wombat'))
  })

  test('by its place in the list, too', async () => {
    const sql = (order: string) => `SELECT time, exe FROM log_entries ORDER BY ${order} DESC, exe LIMIT 4`
    expect(await rowsOf(sql('1'))).toEqual(await rowsOf(sql('time')))
  })

  test.each([
    [
      'a window function',
      'SELECT row_number() OVER (ORDER BY time) AS n FROM log_entries ORDER BY time DESC LIMIT 1',
      [['60000']],
    ],
    [
      'groups',
      'SELECT time, count(*) AS n FROM log_entries GROUP BY time ORDER BY time DESC LIMIT 1',
      undefined,
    ],
    ['another column called time', 'SELECT level AS time FROM log_entries ORDER BY time LIMIT 1', [[2]]],
    [
      'a query within',
      'SELECT (SELECT count(*) FROM log_entries) AS n FROM log_entries ORDER BY time DESC LIMIT 1',
      [['60000']],
    ],
    [
      'a join',
      `SELECT count(*) AS n FROM (SELECT 1 AS one) v LEFT JOIN log_entries ON level = 9 GROUP BY one`,
      [['1']],
    ],
    ['the order of something else', 'SELECT level FROM log_entries ORDER BY level, time DESC LIMIT 1', [[2]]],
    [
      'the order backwards',
      'SELECT msg FROM log_entries ORDER BY -cast(time AS bigint), exe LIMIT 1',
      [['line 9']],
    ],
  ])('%s reads all it must', async (_, sql, expected) => {
    const rows = await rowsOf(sql)
    if (expected === undefined) expect(rows).toHaveLength(1)
    else
      expect(rows.map((row) => row.map((value) => (typeof value === 'bigint' ? `${value}` : value)))).toEqual(
        expected,
      )
  })
})

describe('the first query that gives enough', () => {
  const begun: string[] = []
  const query = (name: string, sizes: readonly number[], bytes = 1) =>
    async function* (): AsyncGenerator<SqlBatch, void, undefined> {
      begun.push(name)
      for (const rowCount of sizes) {
        const message = { header: new Uint8Array(bytes), body: new Uint8Array(bytes) }
        yield { rowCount, messages: [message] }
      }
    }
  const rowsOf = async (batches: AsyncIterable<SqlBatch>): Promise<number[]> => {
    const sizes: number[] = []
    for await (const { rowCount } of batches) sizes.push(rowCount)
    return sizes
  }
  const last = query('last', [5, 5])
  beforeEach(() => {
    begun.length = 0
  })

  test('is that one, whole', async () => {
    const attempts = [query('a', [2]), query('b', [2, 2]), query('c', [9])]
    expect(await rowsOf(firstEnough(attempts, 4, last))).toEqual([2, 2])
    expect(begun).toEqual(['a', 'b'])
  })

  test('is the last where none does', async () => {
    expect(await rowsOf(firstEnough([query('a', [])], 4, last))).toEqual([5, 5])
    expect(begun).toEqual(['a', 'last'])
  })

  test('is the last, too, where one has more bytes than are held', async () => {
    const attempts = [query('a', [1, 1, 1], 100), query('b', [9])]
    expect(await rowsOf(firstEnough(attempts, 3, last, 500))).toEqual([5, 5])
    expect(begun).toEqual(['a', 'last'])
  })
})

test('blocks that cannot have the rows are not decoded', async () => {
  const held = source()
  const engine = await LocalEngine.open(held, TEST_OPTIONS)
  try {
    const sql = 'SELECT msg FROM log_entries ORDER BY time DESC LIMIT 100'
    expect((await ask(engine, { sql, caller, range: undefined })).rows).toHaveLength(100)
    expect(blocksRead(held)).toBeLessThan(BLOCKS / 2)
    await ask(engine, { sql: 'SELECT count(*) FROM log_entries', caller, range: undefined })
    expect(blocksRead(held)).toBe(BLOCKS)
  } finally {
    await engine.close()
  }
})

test('a stretch of time at an end has the events that were asked for, and no shorter one has', () => {
  const entry = (fromNs: number, length: number, eventCount: number): BlockEntry =>
    ({ fromNs: BigInt(fromNs), toNs: BigInt(fromNs + length), eventCount }) as BlockEntry
  const block = fc.record({
    from: fc.integer(),
    length: fc.nat(1000),
    count: fc.integer({ min: 1, max: 50 }),
  })
  fc.assert(
    fc.property(
      fc.array(block, { maxLength: 50 }),
      // Enough of them to be halved.
      fc.constantFrom(1, 100),
      fc.constantFrom('newest' as const, 'oldest' as const),
      fc.integer({ min: 1, max: 3000 }),
      (list, times, direction, events) => {
        const blocks = list.flatMap(({ from, length, count }) =>
          Array.from({ length: times }, (_, i) => entry(from + i, length, count)),
        )
        const window = timeWindow(blocks, direction, events)
        const total = blocks.reduce((sum, { eventCount }) => sum + eventCount, 0)
        if (window === undefined) {
          expect(total).toBeLessThan(events)
          return
        }
        const whole = blocks.filter(({ fromNs, toNs }) =>
          direction === 'newest' ? fromNs >= window.beginNs : toNs <= window.endNs,
        )
        const edges = whole.map(({ fromNs, toNs }) => (direction === 'newest' ? fromNs : -toNs))
        const least = edges.reduce((a, b) => (a < b ? a : b))
        const sum = (chosen: readonly BlockEntry[]): number =>
          chosen.reduce((n, { eventCount }) => n + eventCount, 0)
        expect(sum(whole)).toBeGreaterThanOrEqual(events)
        expect(sum(whole.filter((_, i) => edges[i]! > least))).toBeLessThan(events)
      },
    ),
  )
})
