import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Level } from '../../src/model/level.ts'
import { Received } from '../main/support/received.ts'
import { type Service, startService } from '../sink/support/service.ts'
import { canFetchNode, fetchNode } from '../support/fetch-node.ts'
import { readDocumentedSetUp } from './support/documented.ts'
import { GENERATIONS, type Generation, makeProject } from './support/project.ts'

/** An instrumentation may record while the process exits, when telemetry has ended; that is told, once. */
const TOLD_AT_EXIT = 'micromegas: an event was recorded after telemetry was shut down, and is lost\n'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { files, commands } = readDocumentedSetUp()
const REQUESTS = 25
/** Each is served, by `fetch` and by `http.get`. */
const SERVED = 2 * REQUESTS
const HTTP = '@opentelemetry/instrumentation-http'
const UNDICI = '@opentelemetry/instrumentation-undici'
const EXPRESS = '@opentelemetry/instrumentation-express'
const PINO = '@opentelemetry/instrumentation-pino'

let service: Service
beforeEach(async () => {
  service = await startService()
})
afterEach(() => service.close())

/** This Node, or one that the packages run on; undefined where none is to be had. */
function nodeFor({ oldestNode }: Generation): string | undefined {
  const isEnough = process.versions.node.localeCompare(oldestNode, undefined, { numeric: true }) >= 0
  if (isEnough) return process.execPath
  return canFetchNode ? fetchNode('22') : undefined
}

interface Ended {
  readonly code: number | null
  readonly stderr: string
}

function run(node: string, cwd: string, args: readonly string[], env: object): Promise<Ended> {
  const child = spawn(node, args, {
    cwd,
    stdio: ['ignore', 'inherit', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      REQUESTS: String(REQUESTS),
      IDLE_MS: '2500', // more than a flush period after the last request
      MICROMEGAS_TELEMETRY_URL: service.url,
      MICROMEGAS_INGESTION_API_KEY: 'a-key',
      MICROMEGAS_ENABLE_CPU_TRACING: 'true',
      MICROMEGAS_FLUSH_PERIOD: '1',
      MICROMEGAS_TARGET_MAX_LEVELS: '@opentelemetry=trace',
      ...env,
    },
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })))
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1
  return counts
}

/** Names of what was served, in any order. */
const orders = Array.from({ length: REQUESTS }, (_, i) => [`fetch-${i}`, `http-${i}`])
  .flat()
  .toSorted()

describe.each(GENERATIONS)('$name', (generation) => {
  const node = nodeFor(generation)

  test.runIf(node).each(commands)(
    '$line: everything arrives, and nothing of the uploads',
    async ({ args, env }) => {
      const folder = makeProject(generation, files)
      const { code, stderr } = await run(node!, folder, args, env)
      expect(stderr.replace(TOLD_AT_EXIT, '')).not.toMatch(/micromegas|Error/)
      expect(code).toBe(0)

      // No block came of the upload of another: there are as many as there is to tell.
      const blocks = service.of('block').length
      expect(blocks).toBeLessThan(50)
      const received = new Received(service.requests)

      const told = (target: string, prefix: string): string[] =>
        received
          .messages(target)
          .map((message) => message.replace(prefix, ''))
          .toSorted()
      expect(told('shop', 'order ')).toEqual(orders)
      expect(told(PINO, 'line ')).toEqual(orders)

      const measured = received.measures.filter(({ name }) => name.startsWith('http.'))
      expect(countBy(measured, ({ target, name }) => `${target} ${name}`)).toEqual({
        [`${HTTP} http.server.request.duration`]: SERVED,
        [`${HTTP} http.client.request.duration`]: REQUESTS,
        [`${UNDICI} http.client.request.duration`]: REQUESTS,
      })
      const ports = measured.map(({ properties }) => properties['server.port'])
      expect(ports).not.toContain(String(service.port))

      const { spans, unmatched } = received.asyncSpans()
      expect(unmatched).toEqual([])
      const counts = countBy(spans, ({ target, name }) => `${target} ${name}`)
      expect(counts).toMatchObject({
        [`${HTTP} GET /orders/:id`]: SERVED,
        [`${HTTP} GET`]: REQUESTS,
        [`${UNDICI} GET`]: REQUESTS,
        [`${EXPRESS} request handler`]: SERVED,
        'app load order': SERVED,
      })
      const byId = new Map(spans.map((span) => [span.id, span]))
      for (const span of spans.filter(({ name }) => name === 'load order')) {
        let outermost = span
        while (outermost.parent !== 0n) outermost = byId.get(outermost.parent)!
        expect(outermost).toMatchObject({ target: HTTP, name: 'GET /orders/:id' })
      }

      // The trace goes on from the client to the server, by its headers.
      const values = spans.flatMap(({ properties }) => Object.values(properties))
      const namesUploads = new RegExp(`^${service.port}$|:${service.port}\\b`)
      expect(values.filter((value) => namesUploads.test(value))).toEqual([])
      const ofHttp = spans.filter(({ target }) => target === HTTP || target === UNDICI)
      const ofKind = (kind: string): Readonly<Record<string, string>>[] =>
        ofHttp.map(({ properties }) => properties).filter((properties) => properties['span.kind'] === kind)
      const clients = new Map(ofKind('CLIENT').map((client) => [client.span_id, client]))
      expect(clients.size).toBe(SERVED)
      expect(ofKind('SERVER')).toHaveLength(SERVED)
      for (const server of ofKind('SERVER')) {
        expect(clients.get(server.parent_span_id!)).toMatchObject({ trace_id: server.trace_id })
        expect(server).toMatchObject({ 'http.route': '/orders/:id', 'http.response.status_code': '200' })
      }
    },
  )

  test.runIf(node)(
    'registered after OpenTelemetry’s SDK, the bridge says so and the program does not start',
    async () => {
      const folder = makeProject(generation, files)
      const args = [
        '--import',
        '@opentelemetry/auto-instrumentations-node/register',
        '--import',
        './bridge.mjs',
      ]
      const { env } = commands.at(-1)!
      const { code, stderr } = await run(node!, folder, [...args, 'service.mjs'], env)
      expect(code).toBe(1)
      expect(stderr).toContain(
        'Cannot register the OpenTelemetry bridge: the API refuses the context manager',
      )
      expect(service.requests).toEqual([])
    },
  )
})

const next = GENERATIONS[1]!
test.runIf(nodeFor(next))('the tests of the bridge pass beside SDK 3, too', async () => {
  const project = makeProject(next, files)
  const config = fileURLToPath(new URL('sdk-3.config.ts', import.meta.url))
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { code } = await run(nodeFor(next)!, root, [vitest, 'run', '--config', config, '--root', root], {
    OPENTELEMETRY_PROJECT: project,
    MICROMEGAS_TELEMETRY_URL: '',
  })
  expect(code).toBe(0)
})

test('fastify with @fastify/otel: its spans are within those of http, and ours within its', async () => {
  const folder = makeProject(GENERATIONS[0]!, files)
  const { code, stderr } = await run(
    process.execPath,
    folder,
    ['--import', './telemetry.mjs', 'fastify.mjs'],
    {},
  )
  expect(stderr.replace(TOLD_AT_EXIT, '')).not.toMatch(/micromegas|Error/)
  expect(code).toBe(0)
  const received = new Received(service.requests)
  expect(received.messages('shop')).toHaveLength(REQUESTS)
  const { spans, unmatched } = received.asyncSpans()
  expect(unmatched).toEqual([])
  const byId = new Map(spans.map((span) => [span.id, span]))
  const loads = spans.filter(({ name }) => name === 'load order')
  expect(loads).toHaveLength(REQUESTS)
  for (const span of loads) {
    const targets: string[] = []
    for (let at = byId.get(span.parent); at !== undefined; at = byId.get(at.parent)) targets.push(at.target)
    expect(targets[0]).toBe('@fastify/otel')
    expect(targets.at(-1)).toBe(HTTP)
  }
  const failed = received.logs.filter(({ level }) => level === Level.Error)
  expect(failed.map(({ msg }) => msg.split('\n')[0])).toContain('Error: no such order')
})

test('the documentation has a set-up for modules and for CommonJS, with and without the entry register', () => {
  expect(Object.keys(files)).toEqual(['telemetry.mjs', 'telemetry.cjs', 'bridge.mjs', 'bridge.cjs'])
  expect(commands).toHaveLength(4)
})
