import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from '../usage-error.ts'

/** Starts `micromegas-server`, found from the working directory or beside this package, and ends as it ends. */
export async function server(args: readonly string[]): Promise<number> {
  const script = findServer()
  if (script === undefined) {
    throw new UsageError(
      'micromegas-server is not installed: npm install micromegas-server, or npx micromegas-server',
    )
  }
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return code ?? 128 + constants.signals[signal as NodeJS.Signals]
}

function findServer(): string | undefined {
  for (const base of [pathToFileURL(join(process.cwd(), 'x.js')).href, import.meta.url]) {
    try {
      const manifest = createRequire(base).resolve('micromegas-server/package.json')
      return join(dirname(manifest), 'dist', 'micromegas-server.js')
    } catch {
      // Not there; the next place may have it.
    }
  }
  return undefined
}
