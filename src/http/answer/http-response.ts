import { TelemetryError } from '../../model/errors.ts'
import { isError } from '../../model/kinds.ts'

export interface HttpRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
}

/** Answers have no body worth reading; more than this is not waited for. */
export const MAX_BODY_BYTES: number = 64 * 1024
/** How long a body may take once the headers are there. */
export const MAX_BODY_MS = 1_000

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

/** Names the fault by its code: system messages such as `connect ECONNREFUSED 10.0.0.1:80` repeat the address. */
export function transportError(error: unknown, sent: boolean): TransportError {
  return new TransportError(describe(error), { sent, cause: error })
}

function describe(error: unknown): string {
  if (!isError(error)) return String(error)
  // A host with several addresses fails with all their errors at once, and no message of its own.
  const { code, errors } = error as NodeJS.ErrnoException & { readonly errors?: readonly unknown[] }
  if (Array.isArray(errors) && errors.length > 0) return [...new Set(errors.map(describe))].join(', ')
  // An aborted signal's reason has a number: it is a `DOMException`.
  if (typeof code !== 'string') return error.message
  if (code.startsWith('HPE_')) return `what it answers is not HTTP (${code})`
  return code.startsWith('UND_ERR') ? error.message : code
}
