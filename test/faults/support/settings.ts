/**
 * How long the rows that are about time take, in seconds. CI has the short times; for the long ones:
 * `FAULTS_OUTAGE_SECONDS=30 FAULTS_WATCH_SECONDS=120 npm run test:faults`.
 */
export const OUTAGE_SECONDS: number = seconds('FAULTS_OUTAGE_SECONDS', 8)
/** How long memory is watched while a server never answers. */
export const WATCH_SECONDS: number = seconds('FAULTS_WATCH_SECONDS', 20)

function seconds(variable: string, fallback: number): number {
  const value = Number(process.env[variable] ?? fallback)
  if (!(value > 0)) throw new RangeError(`${variable}: expected a number of seconds`)
  return value
}
