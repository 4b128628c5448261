import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startServer } from '../../server/src/index.ts'
import { installedProject } from '../support/installed-project.ts'

const SERVICE = `
const express = require('express')
const pino = require('pino')
const log = pino({ name: 'shop' })
const app = express()
app.get('/users/:id', function findUser(request, response) {
  log.info('found %s', request.params.id)
  response.end()
})
const server = app.listen(0, '127.0.0.1', async () => {
  await (await fetch('http://127.0.0.1:' + server.address().port + '/users/7')).text()
  server.close()
})
`

test('single instrumentations among the dependencies are enabled, and what they do not record is', async () => {
  const folder = installedProject({
    cache: 'single-instrumentations',
    dependencies: {
      '@opentelemetry/api': '1.9.1',
      '@opentelemetry/instrumentation-express': '0.58.0',
      express: '5.1.0',
      pino: '9.7.0',
    },
    files: { 'service.cjs': SERVICE },
  })
  await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  const range = {
    beginNs: BigInt(Date.now() - 1_000) * 1_000_000n,
    endNs: BigInt(Date.now() + 60_000) * 1_000_000n,
  }
  const { PATH } = process.env
  const env = { PATH, MICROMEGAS_TELEMETRY_URL: server.url }
  const args = ['--import', 'micromegas/register', 'service.cjs']
  const { stderr } = await promisify(execFile)(process.execPath, args, { cwd: folder, env })
  expect(stderr).toMatch(
    /^micromegas: recording HTTP servers and clients, console, pino, winston, the logger of NestJS, OpenTelemetry, its instrumentations of express, spans$/m,
  )
  const [process_] = await server.query('SELECT process_id FROM processes')
  const spans = await server.query(
    `SELECT child.name AS name, parent.name AS below
    FROM process_spans('${String(process_!.process_id)}', 'async') child
    JOIN process_spans('${String(process_!.process_id)}', 'async') parent ON child.parent = parent.id
    WHERE child.name LIKE 'request handler%'`,
    { range },
  )
  expect(spans).toEqual([{ name: 'request handler', below: 'GET /users/:id' }])
  expect(await server.query("SELECT msg FROM log_entries WHERE target = 'shop'")).toEqual([
    { msg: 'found 7' },
  ])
})
