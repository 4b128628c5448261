import { findUser, pay } from '../work.mjs'

export default async function shop(fastify) {
  fastify.get('/users/:id', (request) => findUser(request.params.id))
  fastify.get('/pay', async () => pay())
}
