import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../support/free-port.ts'
import { Project } from '../support/project.ts'
import { questionsOf, Server } from '../support/server.ts'

let project: Project
beforeAll(async () => {
  project = await Project.install('processes')
})
afterAll(() => project[Symbol.dispose]())

test('a job ends with its own exit code, and what it recorded is delivered first', async () => {
  await using server = await Server.start()
  const codeOf = async (...args: string[]) =>
    (await project.node(['cron-job.mjs', ...args], server.env).ended).code
  expect([await codeOf('30'), await codeOf('400'), await codeOf()]).toEqual([0, 1, 64])
  const [runs] = questionsOf('jobs-and-processes')
  expect(await server.query(runs!)).toEqual([
    { start_time: expect.anything(), removed: 12, failure: null },
    {
      start_time: expect.anything(),
      removed: null,
      failure: expect.stringContaining('orders of a year ago are in the archive'),
    },
    { start_time: expect.anything(), removed: null, failure: 'usage: cron-job.mjs DAYS' },
  ])
})

interface TreeRow {
  readonly exe: string
  readonly parent: string | null
  readonly msg: string
}

test('a worker thread records under the process of the main thread, in its trace', async () => {
  await using server = await Server.start()
  expect(await project.node(['threads.mjs'], server.env).ended).toMatchObject({ code: 0 })
  expect(await server.processes('threads.mjs')).toHaveLength(1)
  const logs = await server.query(`SELECT msg FROM log_entries WHERE target = 'thumbnails' ORDER BY time`)
  expect(logs).toEqual([{ msg: 'resizing image 7' }, { msg: 'thumbnail of 4096 bytes' }])
  const traces = await server.query(
    `SELECT DISTINCT property_get(properties, 'trace_id') AS trace FROM log_entries WHERE target = 'thumbnails'`,
  )
  expect(traces).toHaveLength(1)
})

test('a forked process knows its parent, and goes on with its trace', async () => {
  await using server = await Server.start()
  expect(await project.node(['parent.mjs'], server.env).ended).toMatchObject({ code: 0 })
  const [, tree] = questionsOf('jobs-and-processes')
  const rows = await server.query<TreeRow>(tree!.replace('TARGET', 'import'))
  expect(rows).toEqual([
    {
      exe: expect.stringMatching(/child\.mjs$/),
      parent: expect.stringMatching(/parent\.mjs$/),
      msg: 'reading orders.csv',
    },
    { exe: expect.stringMatching(/parent\.mjs$/), parent: null, msg: 'the child ended with code 0' },
  ])
  const traces = await server.query(
    `SELECT DISTINCT property_get(properties, 'trace_id') AS trace FROM log_entries WHERE target = 'import'`,
  )
  expect(traces).toHaveLength(1)
})

test('a cluster delivers what each of its processes recorded, those that crash too', async () => {
  await using server = await Server.start()
  const port = await freePort()
  const primary = project.node(['cluster.mjs'], { ...server.env, PORT: String(port) })
  await primary.printed(/: ready\n[\s\S]*: ready\n/)
  const request = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } }).then((answer) =>
      answer.text(),
    )
  for (let i = 0; i < 20; i++) await request(`/${i}`)
  await request('/crash')
  await primary.printed(/worker ended[\s\S]*: ready\n/)
  primary.child.kill('SIGTERM')
  expect(await primary.ended).toMatchObject({ code: 143 })
  const [, , cluster] = questionsOf('jobs-and-processes')
  const rows = await server.query<{ role: string; requests: bigint; failures: bigint }>(cluster!)
  const sum = (key: 'requests' | 'failures') => rows.reduce((total, row) => total + Number(row[key]), 0)
  expect(rows.map(({ role }) => role)).toEqual(['primary', 'worker', 'worker', 'worker'])
  expect([sum('requests'), sum('failures')]).toEqual([21, 1])
})
