import { TelemetryError } from '../errors.ts'

/** A decorator's word that its credentials will not work however often they are tried. */
export class PermanentDecoratorError extends TelemetryError {
  override readonly name: string = 'PermanentDecoratorError'

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_TELEMETRY_REJECTED', message, options)
  }
}
