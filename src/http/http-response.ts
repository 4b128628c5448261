import { TelemetryError } from '../model/errors.ts'

/** What the sink looks at in an answer. */
export interface UploadResponse {
  readonly status: number
  /** The `Retry-After` header. */
  readonly retryAfter: string | undefined
  /** The `Date` header. */
  readonly date: string | undefined
}

/** A request that got no answer: refused, reset, timed out, or no HTTP. */
export class TransportError extends TelemetryError {
  override readonly name: string = 'TransportError'
  /** True once the request was being written: the server may have taken it. */
  readonly sent: boolean

  constructor(message: string, options: ErrorOptions & { readonly sent: boolean }) {
    super('ERR_TELEMETRY_UNAVAILABLE', message, options)
    this.sent = options.sent
  }
}
