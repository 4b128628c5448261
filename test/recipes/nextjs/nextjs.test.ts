import { expect, test } from 'vitest'
import { freePort } from '../../support/free-port.ts'
import { Project } from '../support/project.ts'
import { questionsOf, Server } from '../support/server.ts'

test('Next.js: pages, route handlers and their errors', async () => {
  using project = await Project.install('nextjs')
  const built = await project.start('npm', ['run', 'build'], { NEXT_TELEMETRY_DISABLED: '1' }).ended
  expect(built.code, built.output).toBe(0)
  await using server = await Server.start()
  const port = await freePort()
  const env = { ...server.env, NEXT_TELEMETRY_DISABLED: '1' }
  const service = project.start('next', ['start', '--port', String(port)], env)
  await service.printed(/Ready in/)
  const statusOf = async (path: string): Promise<number> => {
    const response = await fetch(`http://localhost:${port}${path}`, { headers: { connection: 'close' } })
    await response.arrayBuffer()
    return response.status
  }
  for (let i = 0; i < 5; i++) expect(await statusOf(`/orders/${i}`)).toBe(200)
  expect(await statusOf('/pay')).toBe(500)
  service.child.kill('SIGTERM')
  await service.ended

  const [PROCESS_ID] = await server.processes('shop-next')
  const [spans, failures] = questionsOf('nextjs', { PROCESS_ID: PROCESS_ID! })
  expect(await server.query(spans!)).toEqual([
    { name: 'render order', calls: 5n, failed: 0n },
    { name: 'GET /pay', calls: 1n, failed: 1n },
  ])
  expect(await server.query(failures!)).toEqual([
    {
      time: expect.anything(),
      route: '/pay',
      type: 'route',
      msg: expect.stringMatching(/^GET \/pay failed\nRangeError: no card\n {4}at /),
    },
  ])
  const logs = await server.query(`SELECT msg FROM log_entries WHERE target = 'shop' ORDER BY time`)
  expect(logs.map(({ msg }) => msg)).toEqual([0, 1, 2, 3, 4].map((id) => `order ${id}`))
})
