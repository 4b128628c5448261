import { once } from 'node:events'
import { createServer } from 'node:http'
import { asyncSpan, fmetric, logger, micromegasMain } from 'micromegas'

const log = logger('shop.http')
const latency = fmetric('request_latency', 'ms', { target: 'shop.http' })

// Nothing here says where telemetry goes or how it authenticates: the container's environment does.
await micromegasMain(async ({ signal }) => {
  const server = createServer((request, response) => {
    if (request.url === '/health') return response.end('ok\n') // a probe is not worth a span
    return asyncSpan(`${request.method} ${request.url}`, async () => {
      const start = performance.now()
      response.end('hello\n')
      await once(response, 'finish')
      log.info`${request.method} ${request.url} ${response.statusCode}`
      latency.record(performance.now() - start)
    })
  }).listen(Number(process.env.PORT ?? 8000))
  log.info('ready')
  signal.addEventListener('abort', () => server.close())
  await once(server, 'close')
})
