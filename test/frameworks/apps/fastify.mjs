import Fastify from 'fastify'
import { findUser, listening, pay } from './work.mjs'

const app = Fastify()
app.get('/users/:id', (request) => findUser(request.params.id))
app.get('/pay', async () => pay())
await app.listen({ port: 0, host: '127.0.0.1' })
listening(app.server)
