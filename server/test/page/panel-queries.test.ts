import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { fmetric } from '../../../src/tracing/metric.ts'
import { asyncSpan, span } from '../../../src/tracing/spans/span.ts'
import { propertySet } from '../../../src/tracing/values/property-set.ts'
import { startTelemetry } from '../../../test/support/telemetry-service.ts'
import {
  metricsSql,
  type PointRow,
  propertiesSql,
  seriesOf,
  seriesSql,
} from '../../page/src/views/metrics/metric-queries.ts'
import {
  durationsOf,
  heatSql,
  requestsSql,
  routesSql,
  serversSql,
} from '../../page/src/views/requests/request-queries.ts'
import { spansSql } from '../../page/src/views/timeline/spans-sql.ts'
import { traceSql } from '../../page/src/views/timeline/trace-sql.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** The questions of the page's panels, answered by the server about a service that recorded for real. */
let server: TestServer
let id: string
let range: { readonly beginNs: bigint; readonly endNs: bigint }

beforeAll(async () => {
  server = await startServer()
  const beginNs = BigInt(Date.now()) * 1_000_000n - 1_000_000_000n
  const telemetry = startTelemetry(server.url)
  const duration = fmetric('http.server.request.duration', 's', { target: 'http' })
  const answered = (route: string | undefined, status: string, seconds: number): void => {
    const failed = Number(status) >= 500
    const properties = {
      'http.request.method': 'GET',
      'http.response.status_code': status,
      ...(route !== undefined && { 'http.route': route }),
      ...(failed && { 'error.type': status }),
    }
    duration.record(seconds, propertySet(properties))
  }
  for (let i = 1; i <= 9; i++) answered('/users/:id', '200', i / 1000)
  answered('/users/:id', '500', 2)
  answered(undefined, '404', 0.001)
  span('boot', () => {}) // the first span of a thread has the number 0
  await asyncSpan('GET', { properties: { 'span.kind': 'SERVER' }, late: true }, async (request) => {
    logger('shop').error('no card')
    await asyncSpan('query', async () => span('parse', () => {}))
    request.rename('GET /users/:id').set({ 'error.type': '500', 'http.response.status_code': '500' })
  })
  await telemetry.shutdown()
  range = { beginNs, endNs: BigInt(Date.now()) * 1_000_000n + 1_000_000_000n }
  const [process_] = await server.query('select process_id from processes')
  id = String(process_!.process_id)
})

afterAll(() => server.close())

describe('requests', () => {
  it('routes with their counts, failures and percentiles', async () => {
    const rows = await server.query(routesSql(undefined), { range })
    expect(rows).toEqual([
      expect.objectContaining({ method: 'GET', route: '/users/:id', n: 10n, errors: 1n, slowest: 2 }),
      expect.objectContaining({ method: 'GET', route: null, n: 1n, errors: 0n }),
    ])
    expect(rows[0]!.p50).toBeGreaterThan(0.004)
    expect(rows[0]!.p50).toBeLessThan(0.0065)
    expect(await server.query(routesSql("x' or 1=1 --"), { range })).toEqual([])
  })

  it('cells of the heatmap hold every request once, each in the step of its duration', async () => {
    const cells = await server.query(heatSql(id, 3600), { range })
    expect(cells.reduce((sum, { n }) => sum + Number(n), 0)).toBe(11)
    const longest = Math.max(...cells.map(({ step }) => Number(step)))
    const { from, to } = durationsOf(longest)
    expect(from).toBeLessThanOrEqual(2e9)
    expect(to).toBeGreaterThan(2e9)
  })

  it('spans of requests, the failed alone, by name and by duration', async () => {
    expect(await server.query(serversSql(), { range })).toEqual([{ process_id: id, n: 11n }])
    const ask = async (filter: Partial<Parameters<typeof requestsSql>[1]>): Promise<unknown[]> => {
      const sql = requestsSql([id], { failed: false, name: undefined, durations: undefined, ...filter })
      return (await server.query(sql, { range })).map(({ name }) => name)
    }
    expect(await ask({})).toEqual(['GET /users/:id'])
    expect(await ask({ failed: true, name: 'GET /users/:id' })).toEqual(['GET /users/:id'])
    expect(await ask({ name: "GET '" })).toEqual([])
    expect(await ask({ durations: { from: 3600e9, to: 7200e9 } })).toEqual([])
  })
})

describe('the timeline', () => {
  it('all spans of threads and async ones, from the begin of the range', async () => {
    const rows = await server.query(spansSql(id, range.beginNs), { range })
    expect(
      rows.map(({ name, thread_name: thread }) => `${name} ${thread === 'async' ? 'async' : 'thread'}`),
    ).toEqual(['boot thread', 'GET /users/:id async', 'query async', 'parse thread'])
    expect(Number(rows[0]!.b)).toBeGreaterThan(0)
    expect(rows[2]!.parent).toBe(rows[1]!.id)
    expect(await server.query(spansSql(id, range.beginNs, 3600e9), { range })).toEqual([])
  })

  it('a trace for Perfetto', async () => {
    const chunks = await server.query(traceSql(id, range), { range })
    const bytes = Buffer.concat(chunks.map(({ chunk_data: data }) => data as Uint8Array))
    expect(bytes.includes('GET /users/:id')).toBe(true)
  })
})

describe('metrics', () => {
  const metric = { target: 'http', name: 'http.server.request.duration', unit: 's' }

  it('what there is, and the properties it has', async () => {
    expect((await server.query(metricsSql(id), { range }))[0]).toEqual({ ...metric, n: 11n })
    const sets = await server.query(propertiesSql(id, metric), { range })
    expect(new Set(sets.flatMap(({ properties }) => Object.keys(properties as object)))).toEqual(
      new Set(['http.request.method', 'http.response.status_code', 'http.route', 'error.type']),
    )
  })

  it('lines over time, as percentiles and by a property', async () => {
    const asRows = async (by: string | undefined): Promise<PointRow[]> => {
      const rows = await server.query(seriesSql(id, metric, 3600, by), { range })
      return rows.map(
        (row) =>
          ({
            ...row,
            t: new Date(Number((row.t as bigint) / 1_000_000n)).toISOString(),
            n: Number(row.n),
          }) as PointRow,
      )
    }
    const percentiles = seriesOf(await asRows(undefined), undefined)
    expect(percentiles.series.map(({ label }) => label)).toEqual(['p50', 'p99', 'max'])
    expect(Math.max(...percentiles.series[2]!.values.map(Number))).toBe(2)
    const by = seriesOf(await asRows('http.route'), 'http.route')
    expect(by.series.map(({ label }) => label)).toEqual(['/users/:id', 'no http.route'])
    expect(by.series.every(({ values }) => values.length === by.times.length)).toBe(true)
  })
})
