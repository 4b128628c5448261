// A service that serves and makes requests, and uses what the instrumentations instrument.
import { once } from 'node:events'
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { asyncSpan, logger, micromegasMain } from 'micromegas'
import { pino } from 'pino'

const REQUESTS = Number(process.env.REQUESTS)
const IDLE_MS = Number(process.env.IDLE_MS)
const log = logger('shop')
const lines = pino(pino.destination('/dev/null'))

await micromegasMain(
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
      const [response] = await once(get(`${url}http-${i}`), 'response')
      await once(response.resume(), 'end')
    }
    await sleep(IDLE_MS)
    server.close()
    server.closeAllConnections()
  },
  { localSinkEnabled: false },
)
