import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface ProjectParts {
  /** A folder under node_modules/.cache. */
  readonly cache: string
  /** Packages of the registry, by version, besides those that this package depends on. */
  readonly dependencies: Readonly<Record<string, string>>
  /** A folder that is copied into the project. */
  readonly app?: string | undefined
  readonly files?: Readonly<Record<string, string>> | undefined
}

/**
 * A project as a user has it: packages of the registry, and the build of this package with its dependencies. What comes from
 * the registry is installed once and kept under node_modules/.cache.
 *
 * @returns Its folder.
 */
export function installedProject({ cache, dependencies, app, files = {} }: ProjectParts): string {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const all = { ...own.dependencies, ...dependencies }
  const manifest = JSON.stringify({ name: 'shop', private: true, dependencies: all }, null, 2)
  const digest = createHash('sha256').update(manifest).digest('hex').slice(0, 16)
  const folder = join(root, 'node_modules/.cache', cache, digest)
  if (!existsSync(folder)) install(folder, manifest)
  const installed = join(folder, 'node_modules/micromegas')
  rmSync(installed, { recursive: true, force: true })
  mkdirSync(installed)
  for (const name of ['package.json', 'dist']) {
    cpSync(join(root, name), join(installed, name), { recursive: true })
  }
  if (app !== undefined) cpSync(app, folder, { recursive: true })
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
