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
