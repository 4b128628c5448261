import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface PyarrowServer extends AsyncDisposable {
  readonly port: number
  readonly process: ChildProcess
}

/** Starts `flight_server.py` with the Python that `run.ts` has prepared. */
export async function startPyarrowServer(...args: readonly string[]): Promise<PyarrowServer> {
  const python = process.env.MICROMEGAS_TEST_PYTHON
  if (python === undefined) throw new Error('start these tests by npm run test:python')
  const script = fileURLToPath(new URL('flight_server.py', import.meta.url))
  const child = spawn(python, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [first] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  const port = Number(String(first))
  if (!(port > 0)) throw new Error(`flight_server.py did not start: ${first}`)
  return {
    port,
    process: child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
