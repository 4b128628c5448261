import Router from '@koa/router'
import Koa from 'koa'
import { asyncSpan, currentSpan, logger, micromegasMain } from 'micromegas'
import { instrumentServer, setRoute } from 'micromegas/http'
import { serve } from './serve.mjs'

const log = logger('shop')
const app = new Koa()
const router = new Router()

// The first middleware: it sees what all others throw.
app.use(async (context, next) => {
  try {
    await next()
  } catch (error) {
    currentSpan()?.fail(error)
    log.error('request failed', error)
    context.status = 500
  } finally {
    if (context._matchedRoute !== undefined) setRoute(String(context._matchedRoute))
  }
})

router.get('/users/:id', async (context) => {
  const user = await asyncSpan('query users', async () => ({ id: context.params.id }))
  log.info`found user ${user.id}`
  context.body = user
})

router.get('/pay', async () => {
  throw new RangeError('no card')
})

app.use(router.routes())

await micromegasMain(({ signal }) =>
  serve(instrumentServer(app.listen(Number(process.env.PORT ?? 8000))), signal),
)
