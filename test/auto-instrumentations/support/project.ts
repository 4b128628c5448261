import { fileURLToPath } from 'node:url'
import { installedProject } from '../../support/installed-project.ts'

const app = fileURLToPath(new URL('../app', import.meta.url))

/** A version of OpenTelemetry's packages, pinned, and the oldest Node they run on. */
export interface Generation {
  readonly name: string
  readonly packages: Readonly<Record<string, string>>
  readonly oldestNode: string
}

/** What the packages instrument, of the same versions for all of them. */
const INSTRUMENTED = { express: '5.1.0', fastify: '5.4.0', pino: '9.7.0' }

export const GENERATIONS: readonly Generation[] = [
  {
    name: 'SDK 2 with version 1.9 of the API',
    packages: {
      '@opentelemetry/api': '1.9.1',
      '@opentelemetry/auto-instrumentations-node': '0.81.2',
      '@fastify/otel': '0.21.2', // stands on SDK 2
    },
    oldestNode: '20.6.0',
  },
  {
    name: 'SDK 3 with version 1.10 of the API',
    packages: {
      '@opentelemetry/api': '1.10.0',
      '@opentelemetry/auto-instrumentations-node': '0.82.0',
      '@opentelemetry/context-async-hooks': '3.0.0',
      '@opentelemetry/core': '3.0.0',
      '@opentelemetry/sdk-metrics': '3.0.0',
      '@opentelemetry/sdk-trace': '3.0.0',
    },
    oldestNode: '22.15.0',
  },
]

/**
 * OpenTelemetry's packages, what they instrument, and this package.
 *
 * @param files - The set-up, by file name.
 * @returns The project's folder.
 */
export function makeProject({ packages }: Generation, files: Readonly<Record<string, string>>): string {
  return installedProject({
    cache: 'auto-instrumentations',
    dependencies: { ...INSTRUMENTED, ...packages },
    app,
    files,
  })
}
