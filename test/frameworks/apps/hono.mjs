import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { routePath } from 'hono/route'
import { setRoute } from 'micromegas/http'
import { findUser, listening, pay } from './work.mjs'

const app = new Hono()
// The line of the documentation.
app.use(async (c, next) => {
  await next()
  setRoute(routePath(c))
})
app.get('/users/:id', async (c) => c.json(await findUser(c.req.param('id'))))
app.get('/pay', () => pay())
app.onError((_error, c) => c.text('failed', 500))
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => listening(server))
