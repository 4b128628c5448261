import { TelemetryError } from '../../model/errors.ts'

/**
 * There is no token and none can be had without a person: nobody has logged in, the login has expired, or it was refused.
 * The message says what to do. Its code is `ERR_TELEMETRY_LOGIN`.
 */
export class LoginRequiredError extends TelemetryError {
  override readonly name: string = 'LoginRequiredError'

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_TELEMETRY_LOGIN', message, options)
  }
}
