import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { type MicromegasServer, startServer } from '../../server/src/index.ts'
import { installedProject } from '../support/installed-project.ts'
import { expectAnswers } from './support/answers.ts'
import { type Service, startService } from './support/service.ts'

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

const start = (server: MicromegasServer, file: string, env: Record<string, string>): Promise<Service> =>
  startService(server, { folder, args: [file], env })

const SERVICES: readonly (readonly [string, string, Record<string, string>])[] = [
  ['Express 5, an ES module', 'express.mjs', {}],
  ['Express 5, CommonJS', 'express.cjs', {}],
  ['Express 4', 'express-4.cjs', {}],
  ['Fastify 5', 'fastify.mjs', {}],
  ['Koa 3', 'koa.mjs', {}],
  ['Hono 4', 'hono.mjs', {}],
  ['Hono 4, CommonJS', 'hono.cjs', {}],
  ['NestJS 11 on Express', 'nest.mjs', { NEST_ADAPTER: 'express' }],
  ['NestJS 11 on Fastify', 'nest.mjs', { NEST_ADAPTER: 'fastify' }],
]

describe.each(SERVICES)('%s', (_, file, env) => {
  test('one flag: routes, errors, the logs of a request, the spans below a route, by SQL', async () => {
    await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
    const beginNs = BigInt(Date.now()) * 1_000_000n
    const service = await start(server, file, env)
    await expectAnswers(server, service, beginNs, { users: '/users/:id', pay: '/pay' })
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
