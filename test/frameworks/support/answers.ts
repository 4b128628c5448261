import { expect } from 'vitest'
import type { MicromegasServer } from '../../../server/src/index.ts'
import { LOAD, load, type Service } from './service.ts'

/** What a service's routes are called, by the framework. */
export interface Routes {
  readonly users: string
  readonly pay: string
}

/**
 * Loads a service that does what `work.mjs` does, ends it, and asks: for the slowest routes, the errors with their stacks, the
 * logs of a request, and the spans below a route.
 *
 * @param beginNs - Before the service was started.
 * @returns What asks further.
 */
export async function expectAnswers(
  server: MicromegasServer,
  service: Service,
  beginNs: bigint,
  { users, pay }: Routes,
): Promise<(sql: string) => Promise<Record<string, unknown>[]>> {
  const statuses = await load(service.url)
  expect(statuses).toEqual({ 200: LOAD.users, 500: LOAD.failures, 404: LOAD.unknown })
  await service.end()
  expect(service.stderr()).not.toMatch(/lost|failed|cannot be/)
  const range = { beginNs, endNs: BigInt(Date.now()) * 1_000_000n }
  const ask = (sql: string): Promise<Record<string, unknown>[]> => server.query(sql, { range })
  const [process_] = await ask('SELECT process_id FROM processes')
  const spans = `process_spans('${String(process_!.process_id)}', 'async')`

  const routes = await ask(`SELECT property_get(properties, 'http.route') AS route, count(*) AS n,
      sum(CASE WHEN property_get(properties, 'error.type') IS NULL THEN 0 ELSE 1 END) AS failed,
      approx_percentile_cont(value, 0.5) AS p50, approx_percentile_cont(value, 0.99) AS p99
    FROM measures WHERE name = 'http.server.request.duration'
    GROUP BY route ORDER BY n DESC`)
  // A path that nothing answers is no name.
  expect(routes).toMatchObject([
    { route: users, n: BigInt(LOAD.users), failed: 0n },
    { route: pay, n: BigInt(LOAD.failures), failed: BigInt(LOAD.failures) },
    { route: null, n: BigInt(LOAD.unknown), failed: 0n },
  ])
  for (const { p50, p99 } of routes) {
    expect(p50).toBeGreaterThan(0)
    expect(p99).toBeGreaterThanOrEqual(p50 as number)
  }

  const names = await ask(`SELECT name, count(*) AS n FROM ${spans}
    WHERE property_get(properties, 'span.kind') = 'SERVER' GROUP BY name ORDER BY n DESC`)
  expect(names.slice(0, 2)).toEqual([
    { name: `GET ${users}`, n: BigInt(LOAD.users) },
    { name: `GET ${pay}`, n: BigInt(LOAD.failures) },
  ])
  expect(names.length).toBeLessThanOrEqual(3)

  const errors =
    await ask(`SELECT DISTINCT s.name, property_get(s.properties, 'http.response.status_code') AS status, l.msg
    FROM log_entries l
    JOIN ${spans} s ON property_get(l.properties, 'span_id') = cast(s.id AS varchar)
    WHERE l.level <= 2 AND l.target = 'shop'`)
  expect(errors).toEqual([
    {
      name: `GET ${pay}`,
      status: '500',
      msg: expect.stringMatching(/^cannot pay\nError: no card\n {4}at /),
    },
  ])

  const [one] = await ask(`SELECT property_get(properties, 'trace_id') AS trace FROM log_entries
    WHERE msg = 'found 7'`)
  const logs = await ask(`SELECT msg FROM log_entries
    WHERE target = 'shop' AND property_get(properties, 'trace_id') = '${String(one!.trace)}'`)
  expect(logs).toEqual([{ msg: 'found 7' }])

  const below = await ask(`SELECT child.name, count(*) AS n FROM ${spans} child
    JOIN ${spans} route ON child.parent = route.id
    WHERE route.name = 'GET ${users}' GROUP BY child.name`)
  expect(below).toEqual([{ name: 'query users', n: BigInt(LOAD.users) }])
  return ask
}
