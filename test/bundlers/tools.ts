import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packPackage } from '../../scripts/pack-package.ts'

/** What the package is run with, each in the version that it was tried in. */
const TOOLS = {
  '@rollup/plugin-commonjs': '29.0.3',
  '@rollup/plugin-node-resolve': '16.0.3',
  '@vercel/ncc': '0.45.0',
  bun: '1.4.5',
  deno: '2.9.6',
  esbuild: '0.28.2',
  jest: '30.5.2',
  mocha: '11.8.0',
  rollup: '4.64.10',
  sinon: '22.1.0',
  vitest: '4.1.12',
  webpack: '5.112.2',
  'webpack-cli': '6.0.1',
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const programs = fileURLToPath(new URL('./programs', import.meta.url))

/**
 * Makes a folder with the programs, the tools, and the package as it is published, for the caller to remove. The tools are
 * kept between runs.
 */
export function prepareFolder(): string {
  const version = createHash('sha256').update(JSON.stringify(TOOLS)).digest('hex').slice(0, 12)
  const folder = join(root, 'node_modules/.cache/bundlers', version)
  if (!existsSync(join(folder, 'node_modules/webpack-cli'))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: TOOLS }))
    npm(['install'], folder)
  }
  for (const file of readdirSync(folder)) if (file.endsWith('.tgz')) rmSync(join(folder, file))
  npm(['install', '--no-save', packPackage(folder).path], folder)
  // Not in the cache itself: jest and vitest look for no tests below a node_modules.
  const work = mkdtempSync(join(tmpdir(), 'micromegas-bundlers-'))
  cpSync(programs, work, { recursive: true })
  // Deno resolves what a package.json names.
  writeFileSync(
    join(work, 'package.json'),
    JSON.stringify({ private: true, dependencies: { micromegas: '*' } }),
  )
  symlinkSync(join(folder, 'node_modules'), join(work, 'node_modules'), 'junction')
  return work
}

function npm(args: readonly string[], cwd: string): void {
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** The first of the files that runs; undefined where none does, as on a platform that the tool is not made for. */
export function runnable(folder: string, files: readonly string[]): string | undefined {
  return files
    .map((file) => join(folder, 'node_modules', file))
    .find((path) => {
      try {
        execFileSync(path, ['--version'], { stdio: 'ignore' })
        return true
      } catch {
        return false
      }
    })
}
