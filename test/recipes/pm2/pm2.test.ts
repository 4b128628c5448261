import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort } from '../../support/free-port.ts'
import { Project } from '../support/project.ts'
import { questionsOf, Server } from '../support/server.ts'

test('pm2 reloads and stops a cluster: no request and no event is lost', async () => {
  using project = await Project.install('pm2')
  await using server = await Server.start()
  const port = await freePort()
  const env = { ...server.env, PORT: String(port), PM2_HOME: join(project.folder, '.pm2') }
  const pm2 = async (...args: string[]): Promise<void> => {
    const { code, output } = await project.start('pm2', args, env).ended
    expect(code, output).toBe(0)
  }
  let answered = 0
  const request = async (): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
    await response.text()
    answered++
  }
  try {
    await pm2('start', 'ecosystem.config.cjs')
    for (let i = 0; i < 20; i++) await request()
    let isReloaded = false
    const reloaded = pm2('reload', 'shop').finally(() => {
      isReloaded = true
    })
    while (!isReloaded) await request()
    await reloaded
    for (let i = 0; i < 20; i++) await request()
    await pm2('stop', 'shop')
  } finally {
    await pm2('kill')
  }
  const [instances] = questionsOf('pm2')
  const rows = await server.query<{ instance: string; requests: bigint; last: string }>(instances!)
  expect(rows.map(({ instance, last }) => [instance, last])).toEqual([
    ['0', 'stopping'],
    ['0', 'stopping'],
    ['1', 'stopping'],
    ['1', 'stopping'],
  ])
  expect(rows.reduce((sum, { requests }) => sum + Number(requests), 0)).toBe(answered)
})
