import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const cache = join(root, 'node_modules/.cache/auto-instrumentations')
const app = join(root, 'test/auto-instrumentations/app')

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
 * A project as a user has it: OpenTelemetry's packages, what they instrument, and the build of this package with its
 * dependencies. What comes from the registry is installed once and kept under node_modules/.cache.
 *
 * @param files - The set-up, by file name.
 * @returns Its folder.
 */
export function makeProject({ packages }: Generation, files: Readonly<Record<string, string>>): string {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const dependencies = { ...own.dependencies, ...INSTRUMENTED, ...packages }
  const manifest = JSON.stringify({ name: 'shop', private: true, dependencies }, null, 2)
  const folder = join(cache, createHash('sha256').update(manifest).digest('hex').slice(0, 16))
  if (!existsSync(folder)) install(folder, manifest)
  const installed = join(folder, 'node_modules/micromegas')
  rmSync(installed, { recursive: true, force: true })
  mkdirSync(installed)
  for (const name of ['package.json', 'dist']) {
    cpSync(join(root, name), join(installed, name), { recursive: true })
  }
  cpSync(app, folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** An installation that breaks off must not pass for a whole one. */
function install(folder: string, manifest: string): void {
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  writeFileSync(join(unfinished, 'package.json'), manifest)
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], {
    cwd: unfinished,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  renameSync(unfinished, folder)
}
