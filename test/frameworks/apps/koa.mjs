import Router from '@koa/router'
import Koa from 'koa'
import { findUser, listening, pay } from './work.mjs'

const app = new Koa()
app.silent = true
const router = new Router()
router.get('/users/:id', async (context) => {
  context.body = await findUser(context.params.id)
})
router.get('/pay', () => pay())
app.use(router.routes())
const server = app.listen(0, '127.0.0.1', () => listening(server))
