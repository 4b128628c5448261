import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../support/free-port.ts'
import { Project } from '../support/project.ts'
import { questionsOf, Server } from '../support/server.ts'

let project: Project
beforeAll(async () => {
  project = await Project.install('web')
})
afterAll(() => project[Symbol.dispose]())

test.each(['express', 'fastify', 'koa', 'hono'])(
  '%s: routes, failures and the logs of a request',
  async (name) => {
    await using server = await Server.start()
    const port = await freePort()
    const service = project.node([`${name}.mjs`], { ...server.env, PORT: String(port) })
    await service.printed(/: ready$/m)
    const statuses: Record<number, number> = {}
    const paths = Array.from({ length: 100 }, (_, i) =>
      i % 10 === 0 ? '/pay' : i % 10 === 1 ? `/no/${i}` : `/users/${i}`,
    )
    for (const path of paths) {
      const response = await fetch(`http://localhost:${port}${path}`, { headers: { connection: 'close' } })
      await response.arrayBuffer()
      statuses[response.status] = (statuses[response.status] ?? 0) + 1
    }
    expect(statuses).toEqual({ 200: 80, 404: 10, 500: 10 })
    service.child.kill('SIGTERM')
    expect(await service.ended).toMatchObject({ code: 143 })

    const [PROCESS_ID] = await server.processes(`${name}.mjs`)
    const [routes, failures, logs] = questionsOf('web', { PROCESS_ID: PROCESS_ID! })
    const rows = await server.query<{ route: string | null }>(routes!)
    const unknown = name === 'hono' ? '/*' : null
    expect(rows.toSorted((a, b) => String(a.route).localeCompare(String(b.route)))).toEqual(
      [
        { route: unknown, requests: 10n, failed: 0n, p50: expect.any(Number), p99: expect.any(Number) },
        { route: '/pay', requests: 10n, failed: 10n, p50: expect.any(Number), p99: expect.any(Number) },
        { route: '/users/:id', requests: 80n, failed: 0n, p50: expect.any(Number), p99: expect.any(Number) },
      ].toSorted((a, b) => String(a.route).localeCompare(String(b.route))),
    )
    expect(await server.query(failures!)).toEqual([
      {
        name: 'GET /pay',
        n: 10n,
        msg: expect.stringMatching(/^request failed\nRangeError: no card\n {4}at /),
      },
    ])
    const [one] = await server.query<{ trace: string }>(
      `SELECT property_get(properties, 'trace_id') AS trace FROM log_entries WHERE msg = 'found user 7'`,
    )
    expect(await server.query(logs!.replace('TRACE_ID', one!.trace))).toEqual([
      { time: expect.anything(), span: 'GET /users/:id', msg: 'found user 7' },
    ])
    const spans = `process_spans('${PROCESS_ID}', 'async')`
    const below = await server.query(
      `SELECT DISTINCT p.name AS parent, c.name FROM ${spans} c JOIN ${spans} p ON c.parent = p.id`,
    )
    expect(below).toEqual([{ parent: 'GET /users/:id', name: 'query users' }])
  },
)
