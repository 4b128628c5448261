/**
 * Holds the query client to pyarrow's Flight server (gRPC C++): `npm run test:python`. Needs Python 3 with `venv`; pyarrow
 * is installed into `node_modules/.cache`. Without Python it says so and ends well: the recorded fixtures of the other tests
 * stand in.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PYARROW = 'pyarrow>=21,<27'
const root = fileURLToPath(new URL('../../..', import.meta.url))
const venv = join(root, 'node_modules/.cache/python')
const python = process.platform === 'win32' ? join(venv, 'Scripts/python.exe') : join(venv, 'bin/python')

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): boolean {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', env }).status === 0
}

function works(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

const system = ['python3', 'python'].find((name) =>
  works(name, '-c', 'import sys, venv; assert sys.version_info >= (3, 9)'),
)
if (system === undefined) {
  console.log(
    'no Python 3 with venv here: the tests against pyarrow are skipped, the recorded fixtures stand in',
  )
  process.exit(0)
}
if (!existsSync(python) || !works(python, '-c', 'import pyarrow.flight')) {
  rmSync(venv, { recursive: true, force: true })
  const made = run(system, ['-m', 'venv', venv]) && run(python, ['-m', 'pip', 'install', '--quiet', PYARROW])
  if (!made) {
    console.error('Cannot install pyarrow: see above')
    process.exit(1)
  }
}
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const passed = run(process.execPath, [vitest, 'run', '--config', 'vitest.python.config.ts'], {
  ...process.env,
  MICROMEGAS_TEST_PYTHON: python,
})
process.exit(passed ? 0 : 1)
