import type { Goal } from '../support/goal.ts'

/** A program whose whole run is timed. */
export interface Subject {
  readonly name: string
  readonly format: 'esm' | 'cjs'
  readonly source: string
  /** What it is compared with. @defaultValue bare Node */
  readonly base?: Subject | undefined
  /** On the ratio to bare Node. */
  readonly goal?: Goal | undefined
  /** On the milliseconds that are added to it. */
  readonly addedGoal?: Goal | undefined
}

const esm = (name: string, ...modules: readonly string[]): Subject => ({
  name,
  format: 'esm',
  source: modules.map((module) => `import ${JSON.stringify(module)}`).join('\n'),
})

const cjs = (name: string, ...modules: readonly string[]): Subject => ({
  name,
  format: 'cjs',
  source: modules.map((module) => `require(${JSON.stringify(module)})`).join('\n'),
})

/** Tracing and logs, what an application loads to use them by hand; the packages of a complete set-up are more. */
const OPENTELEMETRY = [
  '@opentelemetry/api',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/sdk-logs',
] as const

/** The programs that everything is compared with: nothing at all, in each module format. */
export const BARE: Readonly<Record<Subject['format'], Subject>> = {
  esm: esm('bare Node'),
  cjs: cjs('bare Node'),
}

/** A service: what a server loads is its own. */
const SERVICE: Subject = {
  name: 'a server of node:http',
  format: 'esm',
  source: `import { createServer } from 'node:http'
createServer().listen(0, '127.0.0.1', () => process.exit())`,
}

/** @param major - Of Node: from version 22 on a bare start takes half the time, and what is added is the same. */
export const subjectsOn = (major: number): readonly Subject[] => [
  { ...esm('micromegas', 'micromegas'), goal: { atMost: major < 22 ? 1.25 : 1.4 } },
  { ...cjs('micromegas', 'micromegas'), goal: { atMost: major < 22 ? 1.25 : 1.4 } },
  {
    name: 'micromegas, started',
    format: 'esm',
    // Until the service's own code runs; how it ends is another matter.
    source: `import { micromegasMain } from 'micromegas'
process.env.MICROMEGAS_TELEMETRY_URL = 'http://127.0.0.1:9'
process.env.MICROMEGAS_INGESTION_API_KEY = 'a-key'
await micromegasMain(() => process.kill(process.pid, 'SIGKILL'))`,
    goal: { atMost: 1.5 },
  },
  {
    name: 'a server of node:http under micromegas/register',
    format: 'esm',
    // Where it finds neither OpenTelemetry nor Hono, whose own costs are not ours.
    source: `process.env.MICROMEGAS_TELEMETRY_URL = 'http://127.0.0.1:9'
process.env.MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS = '0.001'
process.env.MICROMEGAS_DIAGNOSTICS = 'off'
process.chdir('/')
process.argv[1] = '/service.mjs'
await import('micromegas/register')
const { createServer } = await import('node:http')
createServer().listen(0, '127.0.0.1', () => process.exit())`,
    base: SERVICE,
    addedGoal: { atMost: 30 },
  },
  esm('pino', 'pino'),
  cjs('pino', 'pino'),
  cjs('winston', 'winston'),
  cjs('OpenTelemetry trace and log SDK', ...OPENTELEMETRY),
]
