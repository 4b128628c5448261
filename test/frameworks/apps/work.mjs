/** What the services of all frameworks do: a query, and a payment that fails. */
import { setTimeout as delay } from 'node:timers/promises'
import { asyncSpan, logger } from 'micromegas'

const log = logger('shop')

export async function findUser(id) {
  const user = await asyncSpan('query users', async () => {
    await delay(1)
    return { id, name: 'ada' }
  })
  log.info`found ${id}`
  return user
}

export function pay() {
  const error = new Error('no card')
  log.error('cannot pay', error)
  throw error
}

/** Tells the test where the service listens. */
export function listening(server) {
  console.log(`listening on ${server.address().port}`)
}
