import { status } from '@grpc/grpc-js'
import { SqlError } from '../sql/sql-error.ts'

/** What a call ends with. */
export interface FlightStatus {
  readonly code: status
  readonly details: string
}

/** A call that cannot be answered. The message goes to the client. */
export class FlightError extends Error {
  override readonly name: string = 'FlightError'
  readonly code: status

  constructor(code: status, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** How an error is told to a client; those that no one foresaw without their text. */
export function statusOf(error: unknown): FlightStatus {
  if (error instanceof FlightError) return { code: error.code, details: error.message }
  if (error instanceof SqlError) return { code: status[error.code], details: error.message }
  return { code: status.INTERNAL, details: 'internal error' }
}
