import { expect, test } from 'vitest'
import { freePort } from '../../support/free-port.ts'
import { Project } from '../support/project.ts'
import { questionsOf, Server } from '../support/server.ts'

test('NestJS: handlers and methods are spans, Nest’s own log and failures are recorded', async () => {
  using project = await Project.install('nestjs')
  const built = await project.start('npm', ['run', 'build']).ended
  expect(built.code, built.output).toBe(0)
  await using server = await Server.start()
  const port = await freePort()
  const service = project.node(['--enable-source-maps', 'dist/main.js'], {
    ...server.env,
    PORT: String(port),
  })
  await service.printed(/: ready$/m)
  for (let i = 0; i < 10; i++) {
    const path = i < 8 ? `orders/${i}` : 'orders/pay'
    const { status } = await fetch(`http://localhost:${port}/${path}`, { headers: { connection: 'close' } })
    expect(status).toBe(i < 8 ? 200 : 500)
  }
  service.child.kill('SIGTERM')
  expect(await service.ended).toMatchObject({ code: 143 })

  const [PROCESS_ID] = await server.processes('main.js')
  const [spans, failures] = questionsOf('nestjs', { PROCESS_ID: PROCESS_ID! })
  expect(await server.query(spans!)).toEqual([
    { request: 'GET /orders/:id', handler: 'OrdersController.find', calls: 8n, failed: 0n },
    { request: 'GET /orders/pay', handler: 'OrdersController.pay', calls: 2n, failed: 2n },
  ])
  const rows = await server.query<{ target: string; msg: string }>(failures!)
  const failed = rows.filter(({ target }) => target === 'nest')
  expect(failed.map(({ msg }) => msg)).toEqual([
    expect.stringMatching(/^OrdersController.pay failed\nRangeError: no card\n {4}at .*orders\.ts:/),
    expect.stringMatching(/^OrdersController.pay failed\n/),
  ])
  expect(rows.filter(({ target }) => target === 'ExceptionsHandler')).toHaveLength(2)
  const said = await server.query(
    `SELECT l.msg, s.target FROM log_entries l
     JOIN process_spans('${PROCESS_ID}', 'async') s ON property_get(l.properties, 'span_id') = cast(s.id AS varchar)
     WHERE l.target = 'OrdersService' ORDER BY l.time LIMIT 1`,
  )
  expect(said).toEqual([{ msg: 'found order 0', target: 'shop' }])
  const start = await server.query(`SELECT msg FROM log_entries WHERE target = 'NestFactory'`)
  expect(start).toEqual([{ msg: 'Starting Nest application...' }])
})
