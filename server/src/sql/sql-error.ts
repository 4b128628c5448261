/** What went wrong, by the name of the gRPC status that the reference servers answer with. */
export type SqlErrorCode =
  | 'INVALID_ARGUMENT'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'RESOURCE_EXHAUSTED'
  | 'CANCELLED'
  | 'DEADLINE_EXCEEDED'
  | 'UNAVAILABLE'

/** A place in the text of a query, both counted from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** `dataframe`: found before any row was computed. `stream`: while rows were computed. */
export type SqlStage = 'dataframe' | 'stream'

export interface SqlErrorOptions extends ErrorOptions {
  readonly place?: Place | undefined
  readonly stage?: SqlStage | undefined
}

/** A query that cannot be answered. The message is the one of the reference servers where there is one. */
export class SqlError extends Error {
  override readonly name: string = 'SqlError'
  readonly code: SqlErrorCode
  readonly line: number | undefined
  readonly column: number | undefined
  readonly stage: SqlStage

  constructor(code: SqlErrorCode, text: string, options: SqlErrorOptions = {}) {
    const { place, stage = 'dataframe', cause } = options
    const where = place === undefined ? '' : ` (at line ${place.line}, column ${place.column})`
    const prefix =
      code === 'CANCELLED' || code === 'UNAVAILABLE'
        ? ''
        : stage === 'stream'
          ? BUILDING_STREAM
          : BUILDING_PLAN
    super(`${prefix}${text}${where}`, cause === undefined ? {} : { cause })
    this.code = code
    this.line = place?.line
    this.column = place?.column
    this.stage = stage
  }
}

const BUILDING_PLAN = 'error building dataframe: '
const BUILDING_STREAM = 'error building data stream: '

/** The query means nothing: a name, a type or a number of arguments is wrong. */
export function planError(text: string, place?: Place | undefined): SqlError {
  return new SqlError('INVALID_ARGUMENT', `Error during planning: ${text}`, { place })
}

export function schemaError(text: string, place?: Place | undefined): SqlError {
  return new SqlError('INVALID_ARGUMENT', `Schema error: ${text}`, { place })
}

/** The query means something that neither server does. */
export function unsupported(text: string, place?: Place | undefined): SqlError {
  return new SqlError('UNIMPLEMENTED', `This feature is not implemented: ${text}`, { place })
}

/** What of an error can be sent to another thread. */
export interface PlainSqlError {
  readonly code: SqlErrorCode
  readonly message: string
  readonly line: number | undefined
  readonly column: number | undefined
  readonly stage: SqlStage
}

/** Any error as one that can be sent; what is no {@link SqlError} is `INTERNAL`. */
export function plainError(error: unknown): PlainSqlError {
  if (error instanceof SqlError) {
    const { code, message, line, column, stage } = error
    return { code, message, line, column, stage }
  }
  const message = error instanceof Error ? error.message : String(error)
  return {
    code: 'INTERNAL',
    message: `Internal error: ${message}`,
    line: undefined,
    column: undefined,
    stage: 'stream',
  }
}

export function restoreError({ code, message, line, column, stage }: PlainSqlError): SqlError {
  const place = line === undefined || column === undefined ? undefined : { line, column }
  const error = new SqlError(code, '', { place, stage })
  error.message = message
  return error
}
