import { execFileSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface InstallSize {
  readonly name: string
  readonly version: string
  readonly packages: number
  /** Bytes of all files, in units of 10^6. */
  readonly megabytes: number
  readonly tree: readonly PackageSize[]
}

export interface PackageSize {
  readonly name: string
  readonly version: string
  readonly megabytes: number
}

/** Installs packages where nothing else is, as an application would that needs nothing else, and weighs what came. */
export function measureInstall(name: string, ...specifiers: readonly string[]): InstallSize {
  const folder = mkdtempSync(join(tmpdir(), 'micromegas-footprint-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    npm(['install', '--omit=dev', '--ignore-scripts', '--prefer-offline', ...specifiers], folder)
    const tree = listPackages(join(folder, 'node_modules'))
    return {
      name,
      version: tree.find((found) => found.name === name)?.version ?? '',
      packages: tree.length,
      megabytes: tree.reduce((sum, { megabytes }) => sum + megabytes, 0),
      tree: tree.toSorted((a, b) => b.megabytes - a.megabytes),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs a function with a temporary folder. */
export function inTemporaryFolder<T>(run: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'micromegas-footprint-'))
  try {
    return run(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function npm(args: readonly string[], cwd: string): string {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  return execFileSync('npm', [...args, ...quiet], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  })
}

function listPackages(modules: string): PackageSize[] {
  return packageFolders(modules).flatMap((folder) => {
    const nested = join(folder, 'node_modules')
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name: string
      version: string
    }
    const own = { name, version, megabytes: (bytesOf(folder) - bytesOf(nested)) / 1e6 }
    return [own, ...listPackages(nested)]
  })
}

function packageFolders(modules: string): string[] {
  return entriesOf(modules)
    .filter((entry) => !entry.startsWith('.'))
    .flatMap((entry) =>
      entry.startsWith('@')
        ? entriesOf(join(modules, entry)).map((scoped) => join(modules, entry, scoped))
        : [join(modules, entry)],
    )
}

function bytesOf(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  if (!stat.isDirectory()) return stat.size
  return entriesOf(path).reduce((sum, entry) => sum + bytesOf(join(path, entry)), 0)
}

function entriesOf(folder: string): string[] {
  return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(folder) : []
}
