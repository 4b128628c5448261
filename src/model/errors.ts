import { isError } from './kinds.ts'

/** Codes carried by every {@link TelemetryError}. They are public API: match on them rather than on the class. */
export type TelemetryErrorCode =
  /** Options or environment that cannot be used; thrown at start only. */
  | 'ERR_TELEMETRY_CONFIG'
  /** A call after `shutdown()`. */
  | 'ERR_TELEMETRY_CLOSED'
  /** The ingestion service or the identity provider cannot be reached now; trying again is useful. */
  | 'ERR_TELEMETRY_UNAVAILABLE'
  /** The ingestion service or the identity provider refused for good. */
  | 'ERR_TELEMETRY_REJECTED'
  /** Bytes that are no valid telemetry: a corrupt block, stream or process. */
  | 'ERR_TELEMETRY_FORMAT'
  /** There is no token, and only a person can get one by logging in. */
  | 'ERR_TELEMETRY_LOGIN'

/** Base class of every error this package throws, except for a caller's mistake (`TypeError`, `RangeError`). */
export class TelemetryError extends Error {
  override readonly name: string = 'TelemetryError'
  readonly code: TelemetryErrorCode

  constructor(code: TelemetryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * True for the errors of any copy of this package, of the given code: the ESM and the CommonJS build may meet in one
 * process, and each has classes of its own.
 */
export function isTelemetryError(error: unknown, code?: TelemetryErrorCode): error is TelemetryError {
  if (!isError(error)) return false
  const { code: found } = error as { readonly code?: unknown }
  return code === undefined ? typeof found === 'string' && found.startsWith('ERR_TELEMETRY_') : found === code
}
