import fp from 'fastify-plugin'
import { currentSpan, logger } from 'micromegas'
import { instrumentServer, setRoute } from 'micromegas/http'

const log = logger('shop')

/** Records the requests of an application, by route, and its failures. */
export const telemetry = fp(async (app) => {
  instrumentServer(app.server)
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.url !== undefined) setRoute(request.routeOptions.url)
  })
  app.addHook('onError', async (_request, _reply, error) => {
    if (error.statusCode < 500) return // the client's fault
    currentSpan()?.fail(error)
    log.error('request failed', error)
  })
})
