import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PYARROW = 'pyarrow>=21,<27'
const root = fileURLToPath(new URL('../../..', import.meta.url))
const venv = join(root, 'node_modules/.cache/python')
const python = process.platform === 'win32' ? join(venv, 'Scripts/python.exe') : join(venv, 'bin/python')

function works(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

/**
 * A Python with pyarrow, installed into `node_modules/.cache` the first time; `undefined` where there is no Python 3 with
 * `venv`.
 *
 * @throws Error when pyarrow cannot be installed.
 */
export function preparePython(): string | undefined {
  const usable = 'import sys, venv; assert sys.version_info >= (3, 9)'
  const system = ['python3', 'python'].find((name) => works(name, '-c', usable))
  if (system === undefined) return undefined
  if (existsSync(python) && works(python, '-c', 'import pyarrow.flight')) return python
  rmSync(venv, { recursive: true, force: true })
  for (const [command, ...args] of [
    [system, '-m', 'venv', venv],
    [python, '-m', 'pip', 'install', '--quiet', PYARROW],
  ] as const) {
    if (spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status !== 0) {
      throw new Error('Cannot install pyarrow: see above')
    }
  }
  return python
}
