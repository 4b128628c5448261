import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { fmetric } from '../../../src/tracing/metric.ts'
import { asyncSpan } from '../../../src/tracing/spans/span.ts'
import { withService } from '../../../test/support/telemetry-service.ts'
import { getJson, send, startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
  await withService(server.url, async () => {
    const log = logger('shop')
    log.info('placed', { region: 'eu', order: 7 })
    log.info('placed', { region: 'us', order: 8 })
    log.warn('late')
    const latency = fmetric('latency', 'ms')
    latency.record(1, { region: 'eu', route: '/' })
    latency.record(3, { region: 'eu', route: '/cart' })
    latency.record(10, { region: 'us', route: '/' })
    latency.record(20)
    await asyncSpan('request', { properties: { region: 'us' } }, async () => {
      for (const region of ['eu', 'us']) await asyncSpan('query', { properties: { region } }, async () => {})
    })
  })
})
afterAll(() => server.close())

const get = (path: string) => getJson(server, `/api/${path}`)

describe('properties', () => {
  test('choose logs, each with its value', async () => {
    const found = async (query: string) =>
      (await get(`log_entries?order=oldest&${query}`)).rows.map(
        (row: { properties: Record<string, string> }) => row.properties.order,
      )
    expect(await found('property.region=eu')).toEqual(['7'])
    expect(await found('property.region=us&property.order=8')).toEqual(['8'])
    expect(await found('property.region=us&property.order=7')).toEqual([])
    expect(await found('property.constructor=Object')).toEqual([])
    expect(await found('property.region=')).toEqual([])
  })

  test('choose values of metrics and spans', async () => {
    const values = await get('measures?property.region=eu&order=oldest')
    expect(values.rows.map((row: { value: number }) => row.value)).toEqual([1, 3])
    const spans = await get('spans?property.region=us&order=oldest')
    expect(spans.rows.map((row: { name: string }) => row.name)).toEqual(['request', 'query'])
  })

  test('part the summary of a metric', async () => {
    const summary = async (query: string) =>
      (await get(`measures/summary?name=latency&${query}`)).rows.map(
        (row: { group?: Record<string, string>; sum: number }) => [row.group, row.sum],
      )
    expect(await summary('')).toEqual([[undefined, 34]])
    expect(new Set(await summary('group_by=region'))).toEqual(
      new Set([
        [{ region: 'eu' }, 4],
        [{ region: 'us' }, 10],
        [undefined, 20],
      ]),
    )
    expect(await summary('group_by=region,route&property.route=/')).toEqual([
      [{ region: 'eu', route: '/' }, 1],
      [{ region: 'us', route: '/' }, 10],
    ])
    const { rows } = await server.reader.measureSummaries({
      groupBy: ['region'],
      properties: { region: 'eu' },
    })
    expect(rows).toMatchObject([{ group: { region: 'eu' }, count: 2 }])
  })

  test('that cannot be meant are errors by name', async () => {
    for (const [query, problem] of [
      ['log_entries?property.=x', 'property.: unknown'],
      ['log_entries?property.a=1&property.a=2', 'property.a: given more than once'],
      ['measures/summary?group_by=a,,b', 'group_by: expected names with commas between them'],
      ['images?property.a=1', 'property.a: unknown'],
    ] as const) {
      const { status, text } = await send(server.url, `/api/${query}`)
      expect([status, JSON.parse(text).error]).toEqual([400, expect.stringContaining(problem)])
    }
  })
})

test('the longest spans come first, on one page', async () => {
  const { rows, next_cursor } = await get('spans?order=longest&limit=2&kind=async')
  expect(rows[0].name).toBe('request')
  expect(rows[1].name).toBe('query')
  expect(BigInt(rows[0].duration_ns)).toBeGreaterThanOrEqual(BigInt(rows[1].duration_ns))
  expect(next_cursor).toBeNull()
  expect((await server.reader.spans({ order: 'longest', limit: 1 })).rows).toHaveLength(1)
  expect((await send(server.url, '/api/log_entries?order=longest')).status).toBe(400)
  const { next_cursor: cursor } = await get('spans?limit=1')
  const further = await send(server.url, `/api/spans?order=longest&cursor=${cursor}`)
  expect([further.status, JSON.parse(further.text)]).toEqual([
    400,
    { error: 'cursor: the longest spans are one page' },
  ])
  await expect(server.reader.spans({ order: 'longest', cursor })).rejects.toThrow(TypeError)
})
