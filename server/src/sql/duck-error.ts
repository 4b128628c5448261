import { SqlError } from './sql-error.ts'

/**
 * An error of the database as the reference reports its like. What this server's own functions raise says by its first
 * word what it is there.
 */
export function duckError(error: unknown): Error {
  if (error instanceof SqlError) return error
  if (!(error instanceof Error)) return new Error(String(error))
  const text = error.message
  if ('code' in error && error.code === 'ERR_TELEMETRY_FORMAT') {
    return new SqlError('INTERNAL', `External error: ${text}`, { stage: 'stream', cause: error })
  }
  const options = { stage: 'stream', cause: error } as const
  const own = /(?:^|[\s"'])(arrow|exec):([\s\S]*)$/.exec(text)
  if (own !== null) {
    const message = own[2]!.split('\n')[0]!.trim()
    return own[1] === 'arrow'
      ? new SqlError('INTERNAL', `Arrow error: ${message}`, options)
      : new SqlError('INVALID_ARGUMENT', `Execution error: ${message}`, options)
  }
  const [, depth] = /Max expression depth limit of (\d+) exceeded/.exec(text) ?? []
  if (depth !== undefined) {
    const advice = 'split it, or join texts by concat(...)'
    return new SqlError(
      'INVALID_ARGUMENT',
      `Execution error: an expression has more than ${depth} operators in a row: ${advice}`,
      options,
    )
  }
  const [first = ''] = text.split('\n')
  const [, kind = '', message = first] = /^([A-Za-z ]+ Error): ?([\s\S]*)$/.exec(first) ?? []
  switch (kind) {
    case 'Out of Memory Error':
      return new SqlError('RESOURCE_EXHAUSTED', `Resources exhausted: ${message}`, options)
    case 'INTERRUPT Error':
    case 'Interrupt Error':
      return new SqlError('CANCELLED', 'The query was cancelled', options)
    case 'Conversion Error':
      return new SqlError('INTERNAL', `Arrow error: Cast error: ${message}`, options)
    case 'Out of Range Error':
      return new SqlError('INTERNAL', `Arrow error: Arithmetic overflow: ${message}`, options)
    case 'Binder Error':
      return new SqlError('INVALID_ARGUMENT', `Error during planning: ${grouping(message)}`, options)
    case 'Invalid Input Error':
      return new SqlError('INVALID_ARGUMENT', `Execution error: ${message}`, options)
    case 'Not implemented Error':
      return new SqlError('UNIMPLEMENTED', `This feature is not implemented: ${message}`, options)
    default:
      return new SqlError('INTERNAL', `Internal error: ${first}`, options)
  }
}

function grouping(message: string): string {
  if (!/GROUP BY clause/.test(message)) return message
  return 'Column in SELECT must be in GROUP BY or an aggregate function'
}
