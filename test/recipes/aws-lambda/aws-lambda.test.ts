import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Project, type Running } from '../support/project.ts'
import { questionsOf, Server } from '../support/server.ts'
import { RuntimeApi } from './runtime-api.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const TIMEOUT_MS = 60_000
let project: Project
beforeAll(async () => {
  project = await Project.install('aws-lambda')
  const bootstrap = fileURLToPath(new URL('bootstrap.mjs', import.meta.url))
  cpSync(bootstrap, join(project.folder, 'bootstrap.mjs'))
})
afterAll(() => project[Symbol.dispose]())

function startSandbox(api: RuntimeApi, env: NodeJS.ProcessEnv): Running {
  const sandbox = project.node(['bootstrap.mjs'], {
    AWS_LAMBDA_RUNTIME_API: api.address,
    AWS_LAMBDA_FUNCTION_NAME: 'orders',
    AWS_LAMBDA_FUNCTION_VERSION: '3',
    LAMBDA_TASK_ROOT: project.folder,
    _HANDLER: 'handler.handler',
    ...env,
  })
  api.pid = sandbox.child.pid
  return sandbox
}

test('each invocation is delivered before it answers, to a sandbox that is frozen in between', async () => {
  await using server = await Server.start()
  using api = await RuntimeApi.start()
  startSandbox(api, server.env)
  for (let order = 1; order <= 3; order++) {
    const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` }
    expect(await api.invoke({ order, headers }, TIMEOUT_MS)).toEqual({ path: 'response', body: { order } })
    const logs = await server.query(`SELECT msg FROM log_entries WHERE target = 'orders' ORDER BY time`)
    expect(logs.at(-1)).toEqual({ msg: `order ${order}` })
    expect(logs).toHaveLength(order)
  }
  expect(await api.invoke({ order: -1 }, TIMEOUT_MS)).toEqual({
    path: 'error',
    body: { errorType: 'RangeError', errorMessage: 'no such order' },
  })
  const processes = await server.processes('orders')
  expect(processes).toHaveLength(1)
  const [invocations, failures] = questionsOf('aws-lambda', { PROCESS_ID: processes[0]! })
  expect(await server.query(invocations!)).toEqual([
    { invocation: 'invocation-1', cold: 'true', ms: expect.any(Number), error: null },
    { invocation: 'invocation-2', cold: 'false', ms: expect.any(Number), error: null },
    { invocation: 'invocation-3', cold: 'false', ms: expect.any(Number), error: null },
    { invocation: 'invocation-4', cold: 'false', ms: expect.any(Number), error: 'RangeError' },
  ])
  expect(await server.query(failures!)).toEqual([
    {
      time: expect.anything(),
      invocation: 'invocation-4',
      msg: expect.stringMatching(/^invocation failed\nRangeError: no such order\n/),
    },
  ])
  const traced = `SELECT msg FROM log_entries WHERE property_get(properties, 'trace_id') = '${TRACE}' AND target = 'orders'`
  expect(await server.query(traced)).toHaveLength(3)
  const placed = await server.query(`SELECT value FROM measures WHERE name = 'orders'`)
  expect(placed).toEqual([{ value: 1 }, { value: 1 }, { value: 1 }])
})

test('an invocation that runs into its timeout is reported before it is killed', async () => {
  await using server = await Server.start()
  using api = await RuntimeApi.start()
  const sandbox = startSandbox(api, server.env)
  const answer = api.invoke({ order: 7, chargeMs: 600_000 }, 3_000)
  const [, failures] = questionsOf('aws-lambda')
  const rows = await server.queryUntil(failures!, ({ length }) => length > 0)
  sandbox.child.kill('SIGKILL')
  expect(rows).toEqual([{ time: expect.anything(), invocation: 'invocation-1', msg: 'about to time out' }])
  expect(await Promise.race([answer, sandbox.ended])).toMatchObject({ signal: 'SIGKILL' })
})

test('a server that never answers costs an invocation a second, not its timeout', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  using api = await RuntimeApi.start()
  const sandbox = startSandbox(api, {
    MICROMEGAS_TELEMETRY_URL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    MICROMEGAS_INGESTION_API_KEY: 'a-key',
  })
  for (const order of [1, 2])
    expect(await api.invoke({ order }, 600_000)).toEqual({ path: 'response', body: { order } })
  sandbox.child.kill('SIGKILL')
  await sandbox.ended
  silent.close()
})
