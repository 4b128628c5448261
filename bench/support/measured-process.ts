import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface MeasuredProcessOptions {
  /** Path of the script, relative to `bench/`. */
  readonly script: string
  readonly args?: readonly string[] | undefined
  readonly nodeFlags?: readonly string[] | undefined
  /** The Node binary. @defaultValue the one that runs the benchmark */
  readonly node?: string | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
}

/** Variables that would load something into the measured process or configure its telemetry. */
const SHED = /^(NODE_OPTIONS|NODE_V8_COVERAGE|TSX_.*|ESBUILD_.*|MICROMEGAS_.*|OTEL_.*)$/

/** The environment of measured processes: this one's, without what would change what is measured. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !SHED.test(name))
  return { ...Object.fromEntries(kept), ...extra }
}

/** The absolute path of a file in `bench/`. */
export function benchPath(relative: string): string {
  return fileURLToPath(new URL(`../${relative}`, import.meta.url))
}

/**
 * Runs a plain `.mjs` script in a process of its own, without any loader, and gives the one message that it sends.
 *
 * @throws Error when it ends without a message, or with an exit code: a benchmark that did not do its work fails.
 */
export async function runMeasured<T>(options: MeasuredProcessOptions): Promise<T> {
  const { script, args = [], nodeFlags = [], node = process.execPath, env } = options
  const child = spawn(node, [...nodeFlags, benchPath(script), ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: cleanEnvironment(env),
  })
  let result: T | undefined
  child.on('message', (message) => {
    result = message as T
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code !== 0 || result === undefined) {
    throw new Error(`Cannot measure ${script} ${args.join(' ')}: it ended with ${signal ?? `code ${code}`}`)
  }
  return result
}
