import { Level } from '../../model/level.ts'
import { builtin } from '../../model/runtime/builtins.ts'
import { recordLog } from '../../tracing/logs/record-log.ts'
import { renderValue } from '../../tracing/values/render-value.ts'

/** Target of what the SDK records about the process it runs in. */
const PROCESS_TARGET = 'process'
const MAX_ERROR_CHARS = 65_536

/** Records an error that ends the process. */
export function recordFatal(error: unknown, what: string): void {
  recordLog(Level.Fatal, PROCESS_TARGET, `${what}: ${renderValue(error, MAX_ERROR_CHARS)}`)
}

/** Shows an error on the standard error stream the way Node shows one that nobody caught. */
export function printFatal(error: unknown): void {
  printError(builtin('node:util').inspect(error))
}

/** Shows why the process ends, whatever is said of telemetry itself. */
export function printError(text: string): void {
  process.stderr.write(`${text}\n`)
}
