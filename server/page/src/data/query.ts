import { signal } from '@preact/signals'
import { key, useKey } from '../state/key.ts'
import { forgetLogin, refreshLogin } from '../state/login.ts'
import { timeText } from './time.ts'

/** Both ends included, nanoseconds since the Unix epoch. */
export interface TimeRange {
  readonly beginNs: bigint
  readonly endNs: bigint
}

export type Connection = 'connecting' | 'connected' | 'unreachable' | 'unauthorized'

/** Whether the server answered the last time it was asked. */
export const connection = signal<Connection>('connecting')

/** The server refused a query; its text says why, with line and column. */
export class QueryRefused extends Error {
  override readonly name = 'QueryRefused'
}

/** The server cannot be reached, or wants another key. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected'
}

export interface QueryOptions {
  readonly range?: TimeRange | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks the server. Times are texts, see `time.ts`; integers of 64 bits lose digits in JSON, so a query casts those to text.
 *
 * @throws QueryRefused | NotConnected, or the reason of the signal.
 */
export async function query<Row>(sql: string, { range, signal: stop }: QueryOptions = {}): Promise<Row[]> {
  await refreshLogin()
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (key.value !== undefined) headers.authorization = `Bearer ${key.value}`
  const body = JSON.stringify({
    sql,
    ...(range && { time_range_begin: timeText(range.beginNs), time_range_end: timeText(range.endNs) }),
  })
  let response: Response
  try {
    response = await fetch('../gateway/query', { method: 'POST', headers, body, signal: stop ?? null })
  } catch (error) {
    stop?.throwIfAborted()
    connection.value = 'unreachable'
    throw new NotConnected('The server does not answer', { cause: error })
  }
  if (response.status === 401) {
    connection.value = 'unauthorized'
    throw new NotConnected('The server wants another key')
  }
  connection.value = 'connected'
  if (!response.ok)
    throw new QueryRefused((await response.text()) || `The server answered ${response.status}`)
  return (await response.json()) as Row[]
}

/** Tries another key, or none. */
export function connectWith(value: string | undefined): void {
  connection.value = 'connecting'
  forgetLogin()
  useKey(value)
}
