import Fastify from 'fastify'
import { asyncSpan, logger, micromegasMain } from 'micromegas'
import { telemetry } from './fastify-telemetry.mjs'
import { serve } from './serve.mjs'

const log = logger('shop')
const app = Fastify()

await app.register(telemetry)

app.get('/users/:id', async (request) => {
  const user = await asyncSpan('query users', async () => ({ id: request.params.id }))
  log.info`found user ${user.id}`
  return user
})

app.get('/pay', async () => {
  throw new RangeError('no card')
})

await micromegasMain(async ({ signal }) => {
  await app.listen({ port: Number(process.env.PORT ?? 8000) })
  await serve(app.server, signal)
})
