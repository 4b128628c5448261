// A fastify service with its own instrumentation, @fastify/otel.
import { FastifyOtelInstrumentation } from '@fastify/otel'
import fastify from 'fastify'
import { asyncSpan, logger, micromegasMain } from 'micromegas'

const REQUESTS = Number(process.env.REQUESTS)
const log = logger('shop')

await micromegasMain(
  async () => {
    const app = fastify()
    await app.register(new FastifyOtelInstrumentation().plugin())
    app.get('/orders/:id', async (request) => {
      log.info`order ${request.params.id}`
      await asyncSpan('load order', async () => {})
      if (request.params.id === '0') throw new Error('no such order')
      return { id: request.params.id }
    })
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    for (let i = 0; i < REQUESTS; i++) await (await fetch(`${address}/orders/${i}`)).text()
    await app.close()
  },
  { localSinkEnabled: false },
)
