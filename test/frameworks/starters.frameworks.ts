import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startServer } from '../../server/src/index.ts'
import { freePort } from '../support/free-port.ts'
import { installedProject } from '../support/installed-project.ts'
import { expectAnswers, type Routes } from './support/answers.ts'
import { LOAD, startService } from './support/service.ts'

/** A service as the framework's own starter makes it, with routes of a shop. */
interface Starter {
  readonly name: string
  /** Arguments of `npx`, which makes it in the folder `app`. */
  readonly generate: readonly string[]
  readonly build?: readonly [command: string, ...args: string[]]
  /** Its script `start`, with the port, as Node runs it. */
  readonly start: (port: string) => readonly string[]
  readonly routes?: Routes
  /** Logs of its own that a load writes: their target, how their text begins, and how many there are. */
  readonly logs: readonly (readonly [target: string, text: string, count: number])[]
  /** Whether it writes them once the request is answered, and its span has ended. */
  readonly logsLate?: boolean
}

const REQUESTS = LOAD.users + LOAD.failures + LOAD.unknown
const STARTERS: readonly Starter[] = [
  {
    name: 'express',
    generate: ['express-generator@4.16.1', 'app', '--no-view'],
    start: () => ['bin/www'],
    logsLate: true,
    logs: [['console', 'Error: no card\n    at ', LOAD.failures]],
  },
  {
    name: 'fastify',
    generate: ['fastify-cli@7.4.1', 'generate', 'app', '--esm'],
    start: (port) => ['node_modules/fastify-cli/cli.js', 'start', '-l', 'info', '-p', port, 'app.js'],
    logs: [
      ['pino', 'incoming request', REQUESTS],
      ['pino', 'Error: no card\n    at ', LOAD.failures],
    ],
  },
  {
    name: 'nest',
    generate: [
      '@nestjs/cli@11.0.14',
      'new',
      'app',
      '--package-manager',
      'npm',
      '--skip-git',
      '--skip-install',
    ],
    build: ['npm', 'run', 'build'],
    start: () => ['dist/main'],
    logs: [['ExceptionsHandler', 'Error: no card\n    at ', LOAD.failures]],
  },
  {
    name: 'next',
    generate: [
      'create-next-app@16.0.7',
      'app',
      '--yes',
      '--ts',
      '--app',
      '--empty', // without fonts of the internet
      '--no-linter',
      '--skip-install',
      '--disable-git',
    ],
    build: ['npm', 'run', 'build'],
    start: (port) => ['node_modules/next/dist/bin/next', 'start', '-p', port],
    routes: { users: '/users/[id]', pay: '/pay' },
    logs: [['console', 'Error: no card\n    at ', LOAD.failures]],
  },
]

const appOf = (name: string): string => fileURLToPath(new URL(`starters/${name}`, import.meta.url))
const work = readFileSync(new URL('apps/work.mjs', import.meta.url), 'utf8')
const quiet = { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production', NO_COLOR: '1' }

test.each(STARTERS)(
  '$name, as its starter makes it',
  async ({ name, generate, build, start, routes, logs, logsLate = false }) => {
    const folder = installedProject({
      cache: 'starters',
      generate,
      dependencies: {},
      app: appOf(name),
      files: { 'work.mjs': work },
    })
    if (build !== undefined) {
      const [command, ...args] = build
      execFileSync(command, args, {
        cwd: folder,
        env: { ...process.env, ...quiet },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
    }
    await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
    const beginNs = BigInt(Date.now()) * 1_000_000n
    const port = await freePort()
    const env = { ...quiet, PORT: String(port) }
    const service = await startService(server, { folder, args: start(String(port)), env, port })
    const ask = await expectAnswers(server, service, beginNs, routes ?? { users: '/users/:id', pay: '/pay' })
    for (const [target, text, count] of logs) {
      const [found] = await ask(`SELECT count(*) AS n FROM log_entries WHERE target = '${target}'
      AND strpos(msg, '${text}') = 1 AND (${logsLate} OR property_get(properties, 'span_id') IS NOT NULL)`)
      expect([target, text, found]).toEqual([target, text, { n: BigInt(count) }])
    }
  },
)
