import { once } from 'node:events'
import { createServer } from 'node:http'
import { asyncSpan, logger, micromegasMain } from 'micromegas'

const log = logger('shop')

await micromegasMain(
  async ({ signal }) => {
    const server = createServer((request, response) =>
      asyncSpan(`${request.method}`, async () => {
        log.info`${request.method} ${request.url}`
        response.end(`${process.pid}\n`)
      }),
    ).listen(Number(process.env.PORT ?? 8000))
    await once(server, 'listening')
    process.send?.('ready')
    log.info('ready')
    if (!signal.aborted) await once(signal, 'abort') // pm2 sends SIGINT for stop and reload
    log.info('stopping')
    server.close()
    server.closeIdleConnections()
    await once(server, 'close')
  },
  { processExe: 'shop', processProperties: { instance: process.env.NODE_APP_INSTANCE ?? '0' } },
)
