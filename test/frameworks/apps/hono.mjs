import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { findUser, listening, pay } from './work.mjs'

const app = new Hono()
app.use(async (c, next) => {
  await next()
  c.header('x-shop', 'yes')
})
// Mounted, with its own way to answer errors.
const till = new Hono()
till.get('/', () => pay())
till.onError((_error, c) => c.text('failed', 500))
app.get('/users/:id', async (c) => c.json(await findUser(c.req.param('id'))))
app.route('/pay', till)
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => listening(server))
