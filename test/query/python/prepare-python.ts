import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = ['pyarrow>=21,<27', 'micromegas>=0.32,<0.34']
const root = fileURLToPath(new URL('../../..', import.meta.url))
const venv = join(root, 'node_modules/.cache/python')
const python = process.platform === 'win32' ? join(venv, 'Scripts/python.exe') : join(venv, 'bin/python')

function works(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

/**
 * A Python with pyarrow and the platform's own client, installed into `node_modules/.cache` the first time; `undefined` where there is no Python 3 with
 * `venv`.
 *
 * @throws Error when they cannot be installed.
 */
export function preparePython(): string | undefined {
  const usable = 'import sys, venv; assert sys.version_info >= (3, 9)'
  const system = ['python3', 'python'].find((name) => works(name, '-c', usable))
  if (system === undefined) return undefined
  if (existsSync(python) && works(python, '-c', 'import pyarrow.flight, micromegas.flightsql')) return python
  rmSync(venv, { recursive: true, force: true })
  for (const [command, ...args] of [
    [system, '-m', 'venv', venv],
    [python, '-m', 'pip', 'install', '--quiet', ...PACKAGES],
  ] as const) {
    if (spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status !== 0) {
      throw new Error('Cannot install pyarrow and micromegas: see above')
    }
  }
  return python
}
