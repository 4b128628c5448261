import { serve as serveHono } from '@hono/node-server'
import { Hono } from 'hono'
import { routePath } from 'hono/route'
import { asyncSpan, currentSpan, logger, micromegasMain } from 'micromegas'
import { instrumentServer, setRoute } from 'micromegas/http'
import { serve } from './serve.mjs'

const log = logger('shop')
const app = new Hono()

app.use(async (context, next) => {
  await next()
  setRoute(routePath(context))
})

app.get('/users/:id', async (context) => {
  const user = await asyncSpan('query users', async () => ({ id: context.req.param('id') }))
  log.info`found user ${user.id}`
  return context.json(user)
})

app.get('/pay', async () => {
  throw new RangeError('no card')
})

app.onError((error, context) => {
  currentSpan()?.fail(error)
  log.error('request failed', error)
  return context.json({ error: 'internal error' }, 500)
})

await micromegasMain(({ signal }) => {
  const server = serveHono({ fetch: app.fetch, port: Number(process.env.PORT ?? 8000) })
  return serve(instrumentServer(server), signal)
})
