import { signal } from '@preact/signals'
import { key } from '../state/key.ts'
import { refreshLogin } from '../state/login.ts'

export type Connection = 'connecting' | 'connected' | 'unreachable' | 'unauthorized'

/** Whether the server answered the last time it was asked. */
export const connection = signal<Connection>('connecting')

/** The server cannot be reached, or wants another key. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected'
}

/**
 * Asks the server with the key or login of this tab, and notes whether it answered.
 *
 * @param path - Below the server's address.
 * @throws NotConnected, or the reason of the signal.
 */
export async function askServer(
  path: string,
  { headers, signal: stop, ...init }: RequestInit & { readonly headers?: Record<string, string> } = {},
): Promise<Response> {
  await refreshLogin()
  const authorization = key.value === undefined ? {} : { authorization: `Bearer ${key.value}` }
  let response: Response
  try {
    response = await fetch(`../${path}`, {
      ...init,
      headers: { ...headers, ...authorization },
      signal: stop ?? null,
    })
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
  return response
}
