import { type Metadata, status } from '@grpc/grpc-js'
import type { Identity } from '../auth/identity.ts'
import { parseNanoseconds } from '../nanoseconds.ts'
import { FlightError } from './flight-error.ts'

/** What a client says about a query besides its SQL. */
export interface CallSettings {
  readonly range: { readonly beginNs: bigint; readonly endNs: bigint } | undefined
  readonly limit: number | undefined
  readonly preserveDictionary: boolean
}

/**
 * Reads the metadata of a call as the reference does: a range only if both ends are there and not empty.
 *
 * @throws {@link FlightError} `INVALID_ARGUMENT` for a value that cannot be read.
 */
export function readSettings(metadata: Metadata): CallSettings {
  const begin = value(metadata, 'query_range_begin')
  const end = value(metadata, 'query_range_end')
  const limit = value(metadata, 'limit')
  return {
    range:
      begin === undefined || end === undefined
        ? undefined
        : { beginNs: time('query_range_begin', begin), endNs: time('query_range_end', end) },
    limit: limit === undefined ? undefined : count('limit', limit),
    preserveDictionary: value(metadata, 'preserve_dictionary')?.toLowerCase() === 'true',
  }
}

/**
 * Whom a query is asked for. A client with an API key may ask for somebody else; a user only for themselves.
 *
 * @throws {@link FlightError} `PERMISSION_DENIED` when a user claims to be another one.
 */
export function callerName(metadata: Metadata, identity: Identity): string {
  const claimed = value(metadata, 'x-user-id')
  if (claimed === undefined) return identity.email ?? identity.subject
  const user = decode(claimed)
  if (identity.method === 'oidc' && user !== identity.subject && user !== identity.email) {
    throw new FlightError(status.PERMISSION_DENIED, `user ${identity.subject} cannot ask for somebody else`)
  }
  return identity.method === 'oidc'
    ? (identity.email ?? identity.subject)
    : `${user} (by ${identity.subject})`
}

function value(metadata: Metadata, name: string): string | undefined {
  const [first] = metadata.get(name)
  const text = typeof first === 'string' ? first.trim() : ''
  return text === '' ? undefined : text
}

function time(name: string, text: string): bigint {
  try {
    return parseNanoseconds(text, name)
  } catch {
    const reason = /^\d{4}-\d{2}-\d{2}[Tt ]/.test(text)
      ? 'input contains invalid characters'
      : 'premature end of input'
    throw new FlightError(status.INVALID_ARGUMENT, `Unable to parse ${name} as a rfc3339 datetime: ${reason}`)
  }
}

function count(name: string, text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number
  throw new FlightError(status.INVALID_ARGUMENT, `Unable to parse ${name}: invalid digit found in string`)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
