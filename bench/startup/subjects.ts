import type { Goal } from '../support/goal.ts'

/** A program whose whole run is timed. */
export interface Subject {
  readonly name: string
  readonly format: 'esm' | 'cjs'
  readonly source: string
  /** On the ratio to bare Node. */
  readonly goal?: Goal | undefined
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

const GOAL: Goal = { atMost: 1.25 }
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

export const SUBJECTS: readonly Subject[] = [
  { ...esm('micromegas', 'micromegas'), goal: GOAL },
  { ...cjs('micromegas', 'micromegas'), goal: GOAL },
  {
    name: 'micromegas, started',
    format: 'esm',
    // Uploading loads its libraries in the background: here nothing waits for them.
    source: `import { initTelemetry } from 'micromegas'
initTelemetry({ telemetryUrl: 'http://127.0.0.1:9', localSinkEnabled: false, shutdownTimeoutMs: 0 })
process.exit()`,
  },
  esm('pino', 'pino'),
  cjs('pino', 'pino'),
  cjs('winston', 'winston'),
  cjs('OpenTelemetry trace and log SDK', ...OPENTELEMETRY),
]
