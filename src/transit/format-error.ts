import { isTelemetryError, TelemetryError } from '../model/errors.ts'

/** An error for bytes that are no valid telemetry: `Cannot read <what>: <why>`. */
export function formatError(what: string, why: string, options?: ErrorOptions): TelemetryError {
  return new TelemetryError('ERR_TELEMETRY_FORMAT', `Cannot read ${what}: ${why}`, options)
}

/** Says where a format error happened, keeping the original as its cause; passes every other error through. */
export function locateError(error: unknown, what: string): unknown {
  if (isTelemetryError(error, 'ERR_TELEMETRY_FORMAT')) {
    return formatError(what, error.message, { cause: error })
  }
  return error
}
