import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { insert, insertBlocks, startServer, type TestServer } from '../../server/test/support/server.ts'
import {
  logBlock,
  metricBlock,
  processBody,
  process as processInfo,
  spanBlock,
  stream,
  streamBody,
} from '../../server/test/support/telemetry.ts'
import { makeWriter } from '../../src/cli/output/formats.ts'
import { FlightSQLClient } from '../../src/query/index.ts'

const page = readFileSync(new URL('../../docs/query.md', import.meta.url), 'utf8')
const section = /^## Recipes\n([\s\S]*?)^## /m.exec(page)?.[1] ?? ''
const recipes = [...section.matchAll(/^### (.+)\n[\s\S]*?```sql\n([\s\S]*?)```\n\n```\n([\s\S]*?)```/gm)].map(
  ([, title, sql, output]) => ({ title: title!, sql: sql!, output: output! }),
)

const SECOND = 1_000_000_000
const MS = 1_000_000

/** Two minutes of a shop, always the same. */
async function recordShop(server: TestServer): Promise<void> {
  const shop = processInfo({ processId: '00000000-0000-4000-8000-00000000000a', exe: '/srv/shop.mjs' })
  const [log, metrics, cpu] = (['log', 'metrics', 'cpu'] as const).map((kind) => stream(shop, kind))
  await insert(server, 'process', processBody(shop))
  await insert(server, 'stream', ...[log!, metrics!, cpu!].map(streamBody))
  const request = (at: number, order: number, span: number, failed: boolean) => [
    {
      at,
      target: 'shop.http',
      message: `POST /orders/${order}`,
      properties: { order: `${order}`, span_id: `${span}` },
    },
    {
      at: at + 20 * MS,
      level: failed ? 2 : 4,
      target: 'shop.checkout',
      message: failed ? `charge of order ${order} failed: declined` : `order ${order} paid`,
      properties: { order: `${order}`, span_id: `${span + 1}` },
    },
  ]
  await insertBlocks(
    server,
    logBlock(shop, log!, [
      ...request(5 * SECOND, 41, 1, false),
      ...request(20 * SECOND, 42, 3, true),
      ...request(70 * SECOND, 43, 5, true),
    ]),
    metricBlock(
      shop,
      metrics!,
      'request_latency',
      Array.from({ length: 100 }, (_, i) => [(i + 1) * SECOND, i + 1] as const),
    ),
    spanBlock(shop, cpu!, [
      ['begin', 'render', SECOND],
      ['begin', 'parse', SECOND + 10 * MS],
      ['end', 'parse', SECOND + 40 * MS],
      ['begin', 'parse', SECOND + 50 * MS],
      ['end', 'parse', SECOND + 55 * MS],
      ['end', 'render', SECOND + 60 * MS],
      ...[5, 20, 70].flatMap(
        (at, i) =>
          [
            ['async begin', 'request', at * SECOND, 2 * i + 1, 0, 0],
            ['async begin', 'charge', at * SECOND + 10 * MS, 2 * i + 2, 2 * i + 1, 1],
            ['async end', 'charge', at * SECOND + (30 + 100 * i) * MS, 2 * i + 2, 2 * i + 1, 1],
            ['async end', 'request', at * SECOND + (40 + 120 * i) * MS, 2 * i + 1, 0, 0],
          ] as const,
      ),
    ]),
  )
}

let server: TestServer
let client: FlightSQLClient
beforeAll(async () => {
  server = await startServer()
  await recordShop(server)
  client = new FlightSQLClient(server.flightUri, { timestamps: 'string' })
})
afterAll(async () => {
  await client?.close()
  await server?.[Symbol.asyncDispose]()
})

test('there are recipes', () => {
  expect(recipes.length).toBeGreaterThanOrEqual(7)
  expect(recipes).toHaveLength(section.match(/^### /gm)!.length)
})

test.each(recipes)('the recipe "$title" gives what the page shows', async ({ sql, output }) => {
  const writer = makeWriter({
    format: 'table',
    isTerminal: false,
    isColored: false,
    columns: undefined,
    maxColumnWidth: 0,
  })
  const range = { begin: '2024-01-01T00:00:00Z', end: '2024-01-01T01:00:00Z' }
  const result = await client.query(sql, range)
  const shown = [
    writer.begin(result.schema),
    ...result.batches.map((batch) => writer.batch(batch)),
    writer.end(),
  ]
  expect(shown.join('')).toBe(output)
})
