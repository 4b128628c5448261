/**
 * Says something about telemetry itself to whoever runs the process. Straight to the standard error stream: through the
 * console it would come back as telemetry where the console is captured.
 */
export function warnOperator(message: string): void {
  process.stderr.write(`${message}\n`)
}
