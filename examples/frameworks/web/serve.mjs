import { once } from 'node:events'
import { logger } from 'micromegas'

/** Serves until a signal comes, then finishes the requests that run. */
export async function serve(server, signal) {
  if (!server.listening) await once(server, 'listening')
  logger('shop').info('ready')
  if (!signal.aborted) await once(signal, 'abort')
  server.close()
  server.closeIdleConnections()
  await once(server, 'close')
}
