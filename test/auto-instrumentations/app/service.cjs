// The service as a CommonJS program.
const { once } = require('node:events')
const http = require('node:http')
const { setTimeout: sleep } = require('node:timers/promises')
const express = require('express')
const { asyncSpan, logger, micromegasMain } = require('micromegas')
const { pino } = require('pino')

const REQUESTS = Number(process.env.REQUESTS)
const IDLE_MS = Number(process.env.IDLE_MS)
const log = logger('shop')
const lines = pino(pino.destination('/dev/null'))

void micromegasMain(
  async () => {
    const app = express()
    app.get('/orders/:id', async (request, response) => {
      log.info`order ${request.params.id}`
      lines.info(`line ${request.params.id}`)
      await asyncSpan('load order', () => sleep(1))
      response.json({ id: request.params.id })
    })
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${server.address().port}/orders/`
    for (let i = 0; i < REQUESTS; i++) {
      await (await fetch(`${url}fetch-${i}`)).text()
      const [response] = await once(http.get(`${url}http-${i}`), 'response')
      await once(response.resume(), 'end')
    }
    await sleep(IDLE_MS)
    server.close()
    server.closeAllConnections()
  },
  { localSinkEnabled: false },
)
