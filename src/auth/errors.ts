import { TelemetryError } from '../model/errors.ts'

/**
 * A decorator's word that its credentials will not work however often they are tried: the request is dropped and
 * counted.
 */
export class PermanentDecoratorError extends TelemetryError {
  override readonly name: string = 'PermanentDecoratorError'

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_TELEMETRY_REJECTED', message, options)
  }
}

/** How {@link CredentialsUnavailableError} is made. */
export interface CredentialsUnavailableOptions extends ErrorOptions {
  /** See {@link CredentialsUnavailableError.retryAfterMs}. */
  readonly retryAfterMs?: number | undefined
  /** See {@link CredentialsUnavailableError.refused}. */
  readonly refused?: boolean | undefined
}

/**
 * No credentials can be had now, and asking again later may help: uploads pause and their data is kept. Its code is
 * `ERR_TELEMETRY_UNAVAILABLE`.
 */
export class CredentialsUnavailableError extends TelemetryError {
  override readonly name: string = 'CredentialsUnavailableError'
  /**
   * Asking the decorator again is useless for this many milliseconds (at least 0): the least the sink waits before it
   * decorates another request. `undefined` leaves the wait to the sink's own back-off.
   */
  readonly retryAfterMs: number | undefined
  /**
   * The identity provider answered and said no (a wrong secret, a scope it does not know), as opposed to not being
   * reachable or not being well. A person has to mend it; it heals with no restart once they do. The decorator tells them:
   * the sink says nothing about it.
   */
  readonly refused: boolean

  constructor(message: string, options: CredentialsUnavailableOptions = {}) {
    super('ERR_TELEMETRY_UNAVAILABLE', message, options)
    this.retryAfterMs = options.retryAfterMs
    this.refused = options.refused ?? false
  }
}
