import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { freePort } from '../../support/free-port.ts'
import { Project } from '../support/project.ts'
import { Server } from '../support/server.ts'

const manifest = fileURLToPath(new URL('../../../examples/container/kubernetes.yaml', import.meta.url))

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly [
          { readonly env: readonly { readonly name: string; readonly value?: string }[] },
        ]
      }
    }
  }
}

test('the service of the container delivers with the environment of its manifest, and leaves probes out', async () => {
  using project = await Project.install('container', 'examples/container')
  await using server = await Server.start({ apiKeys: [{ name: 'orders', key: 'the-key-of-the-file' }] })
  const [document] = parseAllDocuments(readFileSync(manifest, 'utf8'))
  const [container] = (document!.toJS() as Deployment).spec.template.spec.containers
  const declared = Object.fromEntries(container.env.map(({ name, value }) => [name, value ?? 'orders-1']))
  const port = await freePort()
  const keyFile = join(project.folder, 'api-key')
  writeFileSync(keyFile, 'the-key-of-the-file\n')
  const service = project.node(['service.mjs'], {
    ...declared,
    PORT: String(port),
    MICROMEGAS_TELEMETRY_URL: server.env.MICROMEGAS_TELEMETRY_URL,
    MICROMEGAS_INGESTION_API_KEY_FILE: keyFile,
  })
  await service.printed(/: ready$/m)
  const textOf = async (path: string): Promise<string> =>
    (await fetch(`http://localhost:${port}${path}`, { headers: { connection: 'close' } })).text()
  expect([await textOf('/health'), await textOf('/')]).toEqual(['ok\n', 'hello\n'])
  service.child.kill('SIGTERM')
  expect(await service.ended).toMatchObject({ code: 143 })
  const logs = await server.query(`SELECT msg, property_get(p.properties, 'role') AS role
    FROM log_entries l JOIN processes p ON p.process_id = l.process_id
    WHERE l.target = 'shop.http' ORDER BY l.time`)
  expect(logs).toEqual([
    { msg: 'ready', role: 'orders' },
    { msg: 'GET / 200', role: 'orders' },
  ])
})
