const { serve } = require('@hono/node-server')
const { Hono } = require('hono')

const app = new Hono()
void import('./work.mjs').then(({ findUser, listening, pay }) => {
  app.get('/users/:id', async (c) => c.json(await findUser(c.req.param('id'))))
  app.get('/pay', () => pay())
  app.onError((_error, c) => c.text('failed', 500))
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => listening(server))
})
