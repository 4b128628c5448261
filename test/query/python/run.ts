/**
 * Holds the query client to pyarrow's Flight server (gRPC C++), and `micromegas-server` to the platform's own Python client and
 * Google's classes of traces: `npm run test:python`. Needs Python 3 with `venv`; those packages are installed into
 * `node_modules/.cache`. Without Python it says so and ends well: the recorded fixtures of the other tests stand in.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CLIENT, PERFETTO, preparePython } from './prepare-python.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const python = preparePython(CLIENT)
const perfetto = preparePython(PERFETTO)
if (python === undefined || perfetto === undefined) {
  console.log(
    'no Python 3 with venv here: the tests against pyarrow are skipped, the recorded fixtures stand in',
  )
  process.exit(0)
}
const vitest = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url))
const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', 'vitest.python.config.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, MICROMEGAS_TEST_PYTHON: python, MICROMEGAS_TEST_PERFETTO_PYTHON: perfetto },
})
process.exit(status ?? 1)
