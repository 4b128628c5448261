import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const INSTALL_OPTIONS = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
const root = fileURLToPath(new URL('../..', import.meta.url))

export interface ProjectParts {
  /** A folder under node_modules/.cache. */
  readonly cache: string
  /** Packages of the registry, by version, besides those that this package depends on. */
  readonly dependencies: Readonly<Record<string, string>>
  /** What makes the project, in the folder `app`, before they are added to it: arguments of `npx`. */
  readonly generate?: readonly string[] | undefined
  /** A folder that is copied into the project. */
  readonly app?: string | undefined
  readonly files?: Readonly<Record<string, string>> | undefined
}

/**
 * A project as a user has it: packages of the registry, and the build of this package with its dependencies. What comes from
 * the registry is installed once and kept: under node_modules/.cache, or in the temporary folder what a starter makes.
 *
 * @returns Its folder.
 */
export function installedProject({ cache, dependencies, generate, app, files = {} }: ProjectParts): string {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const all = { ...own.dependencies, ...dependencies }
  const manifest = JSON.stringify({ name: 'shop', private: true, dependencies: all }, null, 2)
  const digest = createHash('sha256').update(`${manifest}${generate}`).digest('hex').slice(0, 16)
  // What a starter makes looks at the folders above it.
  const caches =
    generate === undefined ? join(root, 'node_modules/.cache') : join(tmpdir(), 'micromegas-test')
  const made = join(caches, cache, digest)
  if (!existsSync(made)) {
    whole(made, (unfinished) => {
      if (generate === undefined) writeFileSync(join(unfinished, 'package.json'), manifest)
      else run(unfinished, 'npx', ['--yes', ...generate])
      const added = Object.entries(all).map(([name, version]) => `${name}@${version}`)
      const inside = generate === undefined ? unfinished : join(unfinished, 'app')
      run(inside, 'npm', ['install', ...INSTALL_OPTIONS, ...(generate === undefined ? [] : added)])
    })
  }
  const folder = generate === undefined ? made : join(made, 'app')
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

/** What breaks off must not pass for a whole one. */
function whole(folder: string, make: (unfinished: string) => void): void {
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  make(unfinished)
  renameSync(unfinished, folder)
}

function run(cwd: string, command: string, args: readonly string[]): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
}
