import { useKey } from '../state/key.ts'
import { forgetLogin } from '../state/login.ts'
import { askServer, connection } from './ask-server.ts'
import { timeText } from './time.ts'

/** Both ends included, nanoseconds since the Unix epoch. */
export interface TimeRange {
  readonly beginNs: bigint
  readonly endNs: bigint
}

/** The server refused a query; its text says why, with line and column. */
export class QueryRefused extends Error {
  override readonly name = 'QueryRefused'
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
  const body = JSON.stringify({
    sql,
    ...(range && { time_range_begin: timeText(range.beginNs), time_range_end: timeText(range.endNs) }),
  })
  const response = await askServer('gateway/query', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    ...(stop && { signal: stop }),
  })
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
