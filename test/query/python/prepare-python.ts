import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What is installed together; Google's classes want another protobuf than the platform's client. */
export interface PythonSet {
  /** Of the folder in `node_modules/.cache`. */
  readonly name: string
  readonly packages: readonly string[]
  /** What can be imported once they are installed. */
  readonly modules: string
}

/** pyarrow, the platform's own client, and the ADBC driver. */
export const CLIENT: PythonSet = {
  name: 'python',
  packages: ['pyarrow>=21,<27', 'micromegas>=0.32,<0.34', 'adbc-driver-flightsql>=1.5,<2'],
  modules: 'pyarrow.flight, micromegas.flightsql, adbc_driver_flightsql.dbapi',
}
/** Google's generated classes of traces. */
export const PERFETTO: PythonSet = {
  name: 'python-perfetto',
  packages: ['perfetto>=0.59,<0.70', 'protobuf>=6.31'],
  modules: 'perfetto.protos.perfetto.trace.perfetto_trace_pb2',
}

const root = fileURLToPath(new URL('../../..', import.meta.url))

function works(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

/**
 * A Python with a set of packages, installed into `node_modules/.cache` the first time; `undefined` where there is no Python 3
 * with `venv`.
 *
 * @throws Error when they cannot be installed.
 */
export function preparePython({ name, packages, modules }: PythonSet): string | undefined {
  const usable = 'import sys, venv; assert sys.version_info >= (3, 9)'
  const system = ['python3', 'python'].find((command) => works(command, '-c', usable))
  if (system === undefined) return undefined
  const venv = join(root, 'node_modules/.cache', name)
  const python = process.platform === 'win32' ? join(venv, 'Scripts/python.exe') : join(venv, 'bin/python')
  if (existsSync(python) && works(python, '-c', `import ${modules}`)) return python
  rmSync(venv, { recursive: true, force: true })
  for (const [command, ...args] of [
    [system, '-m', 'venv', venv],
    [python, '-m', 'pip', 'install', '--quiet', ...packages],
  ] as [string, ...string[]][]) {
    if (spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status !== 0) {
      throw new Error(`Cannot install ${packages.join(', ')}: see above`)
    }
  }
  return python
}
