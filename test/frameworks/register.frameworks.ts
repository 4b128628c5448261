import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { type MicromegasServer, startServer } from '../../server/src/index.ts'
import { installedProject } from '../support/installed-project.ts'

const apps = fileURLToPath(new URL('apps', import.meta.url))
/** Versions are pinned: what is tried is this package. */
const PACKAGES = {
  '@hono/node-server': '2.1.9',
  '@koa/router': '15.0.0',
  '@nestjs/common': '11.1.9',
  '@nestjs/core': '11.1.9',
  '@nestjs/platform-express': '11.1.9',
  '@nestjs/platform-fastify': '11.1.9',
  express: '5.2.1',
  'express-4': 'npm:express@4.22.1',
  fastify: '5.6.2',
  hono: '4.13.19',
  koa: '3.1.1',
  'reflect-metadata': '0.2.2',
  rxjs: '7.8.2',
}
const LOAD = { users: 700, failures: 200, unknown: 100 }
const AT_ONCE = 20

let folder: string
beforeAll(() => {
  const nest = transformSync(readFileSync(`${apps}/nest.ts`, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  }).code
  const onExpress4 = (file: string): string =>
    readFileSync(`${apps}/${file}`, 'utf8').replace("'express'", "'express-4'")
  folder = installedProject({
    cache: 'frameworks',
    dependencies: PACKAGES,
    app: apps,
    files: {
      'nest.mjs': nest,
      'express-4.cjs': onExpress4('express.cjs'),
      'mounts-4.cjs': onExpress4('mounts.cjs'),
    },
  })
})

interface Running {
  readonly url: string
  readonly stderr: () => string
  end(): Promise<number | null>
}

async function start(server: MicromegasServer, file: string, env: Record<string, string>): Promise<Running> {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
    process.execPath,
    ['--import', 'micromegas/register', file],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, MICROMEGAS_TELEMETRY_URL: server.url, ...env },
    },
  )
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const port = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const found = /^listening on (\d+)$/.exec(line)
      if (found !== null) resolve(found[1]!)
    })
    child.on('exit', (code) => reject(new Error(`ended with ${code}: ${stderr}`)))
  })
  return {
    url: `http://127.0.0.1:${port}`,
    stderr: () => stderr,
    async end() {
      child.kill('SIGTERM')
      const [code] = await once(child, 'exit')
      return code
    },
  }
}

async function load(url: string): Promise<Record<number, number>> {
  const paths = [
    ...Array.from({ length: LOAD.users }, (_, i) => `/users/${i}`),
    ...Array.from({ length: LOAD.failures }, () => '/pay'),
    ...Array.from({ length: LOAD.unknown }, (_, i) => `/nothing/${i}`),
  ]
  const statuses: Record<number, number> = {}
  const work = async (): Promise<void> => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      const response = await fetch(url + path)
      await response.arrayBuffer()
      statuses[response.status] = (statuses[response.status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return statuses
}

const SERVICES: readonly (readonly [string, string, Record<string, string>])[] = [
  ['Express 5, an ES module', 'express.mjs', {}],
  ['Express 5, CommonJS', 'express.cjs', {}],
  ['Express 4', 'express-4.cjs', {}],
  ['Fastify 5', 'fastify.mjs', {}],
  ['Koa 3', 'koa.mjs', {}],
  ['Hono 4, with the documented line', 'hono.mjs', {}],
  ['NestJS 11 on Express', 'nest.mjs', { NEST_ADAPTER: 'express' }],
  ['NestJS 11 on Fastify', 'nest.mjs', { NEST_ADAPTER: 'fastify' }],
]

describe.each(SERVICES)('%s', (name, file, env) => {
  test('one flag: routes, errors, the logs of a request, the spans below a route, by SQL', async () => {
    await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
    const beginNs = BigInt(Date.now()) * 1_000_000n
    const service = await start(server, file, env)
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
    // A path that nothing answers is no name; Hono says that its middleware answered it.
    const nothing = name.startsWith('Hono') ? '/*' : null
    expect(routes).toMatchObject([
      { route: '/users/:id', n: BigInt(LOAD.users), failed: 0n },
      { route: '/pay', n: BigInt(LOAD.failures), failed: BigInt(LOAD.failures) },
      { route: nothing, n: BigInt(LOAD.unknown), failed: 0n },
    ])
    for (const { p50, p99 } of routes) {
      expect(p50).toBeGreaterThan(0)
      expect(p99).toBeGreaterThanOrEqual(p50 as number)
    }

    const names = await ask(`SELECT name, count(*) AS n FROM ${spans}
      WHERE property_get(properties, 'span.kind') = 'SERVER' GROUP BY name ORDER BY n DESC`)
    expect(names.slice(0, 2)).toEqual([
      { name: 'GET /users/:id', n: BigInt(LOAD.users) },
      { name: 'GET /pay', n: BigInt(LOAD.failures) },
    ])
    expect(names.length).toBeLessThanOrEqual(3)

    const errors =
      await ask(`SELECT DISTINCT s.name, property_get(s.properties, 'http.response.status_code') AS status, l.msg
      FROM log_entries l
      JOIN ${spans} s ON property_get(l.properties, 'span_id') = cast(s.id AS varchar)
      WHERE l.level <= 2 AND l.target = 'shop'`)
    expect(errors).toEqual([
      {
        name: 'GET /pay',
        status: '500',
        msg: expect.stringMatching(/^cannot pay\nError: no card\n {4}at .*work\.mjs/),
      },
    ])

    const [one] = await ask(`SELECT property_get(properties, 'trace_id') AS trace FROM log_entries
      WHERE msg = 'found 7'`)
    const logs = await ask(`SELECT msg FROM log_entries
      WHERE property_get(properties, 'trace_id') = '${String(one!.trace)}'`)
    expect(logs).toEqual([{ msg: 'found 7' }])

    const below = await ask(`SELECT child.name, count(*) AS n FROM ${spans} child
      JOIN ${spans} route ON child.parent = route.id
      WHERE route.name = 'GET /users/:id' GROUP BY child.name`)
    expect(below).toEqual([{ name: 'query users', n: BigInt(LOAD.users) }])
  })
})

describe.each([
  ['Express 5', 'mounts.cjs'],
  ['Express 4', 'mounts-4.cjs'],
])('%s', (_, file) => {
  test('a route is the patterns of all routers that it is below, so that names stay few', async () => {
    await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
    const beginNs = BigInt(Date.now()) * 1_000_000n
    const service = await start(server, file, {})
    const routes = {
      '/teams/:team/members/:member/posts/:post': '/teams/7/members/ada/posts/1?secret=1',
      '/teams/:team/members/:member': '/teams/8/members/bob',
      '/teams/:team/members/:member/fails': '/teams/9/members/eve/fails',
      '/teams/:team/settings/:key': '/teams/7/settings/colour',
      '/teams/:team/:page': '/teams/7/news',
      '/a/:x|/b/:x/there': '/b/1/there',
    }
    for (const path of Object.values(routes)) await (await fetch(service.url + path)).arrayBuffer()
    const { params } = { params: await (await fetch(`${service.url}/teams/7/members/ada/posts/1`)).json() }
    expect(params).toEqual({ team: '7', member: 'ada', post: '1' })
    await (await fetch(`${service.url}/teams/7/members/ada/nothing`)).arrayBuffer()
    await service.end()
    const range = { beginNs, endNs: BigInt(Date.now()) * 1_000_000n }
    const [process_] = await server.query('SELECT process_id FROM processes')
    const names = await server.query(
      `SELECT DISTINCT name FROM process_spans('${String(process_!.process_id)}', 'async') WHERE target = 'http' ORDER BY name`,
      { range },
    )
    expect(names.map(({ name }) => name)).toEqual(
      ['GET', ...Object.keys(routes).map((route) => `GET ${route}`)].sort(),
    )
  })
})
